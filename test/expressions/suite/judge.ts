// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { Outcome } from "./outcome.ts";
import type { SuiteCase } from "./suite-case.ts";

/** The suite's code of a guard's stop, and JSONata 2.2's codes for depth (D1011) and time (D1012). */
const GUARD_CODES: ReadonlySet<string | undefined> = new Set(["U1001", "D1011", "D1012"]);

/**
 * Whether an outcome meets a case's expectation.
 * @throws for a case without an expectation.
 */
export function meetsCase(outcome: Outcome, expected: SuiteCase): boolean {
  if (expected.undefinedResult === true) return outcome.kind === "value" && outcome.value === undefined;
  if (expected.error !== undefined) return hasFields(outcome, expected.error);
  if (expected.code !== undefined) {
    if (outcome.kind !== "error") return false;
    if (expected.token !== undefined && outcome.fault.token !== expected.token) return false;
    return sameCode(outcome.fault.code, expected.code);
  }
  if (!("result" in expected)) throw new Error(`a case expects nothing: ${JSON.stringify(expected)}`);
  return outcome.kind === "value" && sameValue(outcome.value, expected.result, expected.unordered === true);
}

/** Whether two engines agree: equal values, or failures with equal codes. */
export function agree(ours: Outcome, theirs: Outcome, unordered = false): boolean {
  if (ours.kind === "error") return theirs.kind === "error" && ours.fault.code === theirs.fault.code;
  return theirs.kind === "value" && sameValue(ours.value, theirs.value, unordered);
}

function sameValue(got: unknown, wanted: unknown, unordered: boolean): boolean {
  const [a, b] = [asJson(got), asJson(wanted)];
  if (!unordered || !Array.isArray(a) || !Array.isArray(b)) return isDeepStrictEqual(a, b);
  const sorted = (items: unknown[]) => items.map((item) => JSON.stringify(item)).toSorted();
  return isDeepStrictEqual(sorted(a), sorted(b));
}

/** The value after a JSON round trip; undefined stays undefined. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function hasFields(outcome: Outcome, wanted: Readonly<Record<string, unknown>>): boolean {
  if (outcome.kind !== "error") return false;
  const { fields } = outcome.fault;
  return Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(fields[name], value));
}

const sameCode = (got: string | undefined, wanted: string): boolean =>
  got === wanted || (wanted === "U1001" && GUARD_CODES.has(got));
