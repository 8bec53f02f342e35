// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { agree, meetsCase } from "./judge.ts";
import { type Outcome, prepareOurs, prepareReference } from "./outcome.ts";
import type { ReadyCase } from "./suite-case.ts";

export interface CaseResult {
  readonly ready: ReadyCase;
  readonly ours: Outcome;
  readonly reference: Outcome;
  readonly engine: "compiled" | "interpreted" | undefined;
  readonly meetsExpectation: boolean;
  readonly agreesWithReference: boolean;
}

export async function runCase(ready: ReadyCase): Promise<CaseResult> {
  const { source, expected } = ready;
  const bindings = expected.bindings ?? {};
  const limits = { depth: expected.depth, timeMs: expected.timelimit };
  const prepared = prepareOurs(source, limits);
  const ours = await prepared.run(ready.input(), bindings);
  const reference = await prepareReference(source, limits).run(ready.input(), bindings);
  return {
    ready,
    ours,
    reference,
    engine: prepared.engine,
    meetsExpectation: meetsCase(ours, expected),
    agreesWithReference: agree(ours, reference, expected.unordered),
  };
}

export async function runCases(cases: readonly ReadyCase[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const ready of cases) results.push(await runCase(ready));
  return results;
}

export const holds = (result: CaseResult): boolean => result.meetsExpectation && result.agreesWithReference;

export interface SuiteFigures {
  readonly cases: number;
  readonly holding: number;
  readonly parsed: number;
  readonly compiled: number;
  /** Share of the parsable expressions that compiled, between 0 and 1; 0 if none parses. */
  readonly compiledShare: number;
}

export function figuresOf(results: readonly CaseResult[]): SuiteFigures {
  const parsed = results.filter(({ engine }) => engine !== undefined).length;
  const compiled = results.filter(({ engine }) => engine === "compiled").length;
  return {
    cases: results.length,
    holding: results.filter(holds).length,
    parsed,
    compiled,
    compiledShare: parsed === 0 ? 0 : compiled / parsed,
  };
}

export function describeFigures({ cases, holding, parsed, compiled, compiledShare }: SuiteFigures): string {
  const share = (compiledShare * 100).toFixed(1);
  return `${holding} of ${cases} cases agree; ${compiled} of ${parsed} that parse are compiled (${share} %)`;
}

/** Text of a disagreement: the expression, the expected outcome and the actual one. */
export function describeDisagreement({ ready, ours, reference, ...result }: CaseResult): string {
  const { expr: _expr, data: _data, ...expected } = ready.expected;
  const expectation = result.meetsExpectation ? "" : `\n  expected  ${clipped(JSON.stringify(expected))}`;
  return `${ready.name} (${result.engine ?? "not parsed"})
  ${clipped(ready.source.replaceAll("\n", "\n  "))}
  input     ${clipped(JSON.stringify(ready.input()) ?? "undefined")}${expectation}
  reference ${describeOutcome(reference)}
  ours      ${describeOutcome(ours)}`;
}

export function describeOutcome(outcome: Outcome): string {
  if (outcome.kind === "value") return clipped(JSON.stringify(outcome.value) ?? String(outcome.value));
  const { code, position, token, message } = outcome.fault;
  return clipped(`fails: ${code ?? "no code"} at ${position} token ${token}: ${message}`);
}

const LONGEST_TEXT = 600;
const clipped = (text: string): string =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)` : text;
