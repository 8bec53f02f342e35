// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KeyTest } from "../../../expressions/analysis/key-tests.ts";
import type { PathRead } from "../../../expressions/runtime/reads/path-read.ts";
import type { Reads } from "../../../expressions/runtime/reads/reads.ts";
import type { EnforcementMode } from "../../../kernel/enforcement-mode.ts";
import type { Expression } from "../../expressions/expression.ts";
import { ConditionIndex } from "./condition-index.ts";

/** The properties of a document that a selection uses. */
export interface Selectable {
  readonly match: Expression | undefined;
  /** Absent for documents without a further condition. */
  readonly when?: Expression | undefined;
  /** Matching documents in shadow mode are always evaluated, because they are reported. */
  readonly mode?: EnforcementMode;
}

/** Documents with the same `match`, which is evaluated once for all of them. */
export interface Group {
  /** Positions among all documents, ascending. */
  readonly members: readonly number[];
  readonly match: Expression | undefined;
  readonly whens: ConditionIndex;
}

/** Minimum number of documents with the same `match` that are indexed by their `when`. */
const GROUP_SIZE = 16;

/**
 * Selects the documents to evaluate for a request, in document order: documents that may match, found by the
 * constants in their `match`; and in a large group with equal `match`, those whose `when` may be true.
 */
export class PolicySelection {
  readonly #units: readonly (number | Group)[];
  readonly #index: ConditionIndex;

  constructor(documents: readonly Selectable[]) {
    this.#units = unitsOf(documents);
    const matches = this.#units.map((unit) =>
      typeof unit === "number" ? documents[unit]?.match : unit.match,
    );
    this.#index = indexOf(matches);
  }

  /**
   * @param governs Whether a group's `match` is true; called once per group. If undefined, each member is
   *   evaluated.
   */
  *positions(reads: Reads, governs: (group: Group) => boolean | undefined): Generator<number> {
    const units = this.#index.candidates(reads);
    /** Matching groups, each with the next of its members. */
    let open: { next: number; readonly rest: Iterator<number> }[] = [];
    let unit = units.next();
    for (;;) {
      const at = unit.done === true ? Infinity : positionOf(this.#units[unit.value] as number | Group);
      const [member] = open;
      if (member !== undefined && member.next <= at) {
        yield member.next;
        const { done, value } = member.rest.next();
        if (done === true) open.shift();
        else member.next = value as number;
        open = open.sort((a, b) => a.next - b.next);
        continue;
      }
      if (unit.done === true) return;
      const chosen = this.#units[unit.value] as number | Group;
      if (typeof chosen === "number") {
        yield chosen;
        // Not earlier: finding the next unit may read attributes.
        unit = units.next();
        continue;
      }
      unit = units.next();
      const held = governs(chosen);
      if (held === false) continue;
      const rest = held === true ? membersOf(chosen, reads) : chosen.members[Symbol.iterator]();
      const { done, value } = rest.next();
      if (done !== true) open = [...open, { next: value as number, rest }].sort((a, b) => a.next - b.next);
    }
  }
}

function* membersOf({ members, whens }: Group, reads: Reads): Generator<number> {
  for (const index of whens.candidates(reads)) yield members[index] as number;
}

function positionOf(unit: number | Group): number {
  return typeof unit === "number" ? unit : (unit.members[0] as number);
}

function unitsOf(documents: readonly Selectable[]): readonly (number | Group)[] {
  const byMatch = new Map<Expression | undefined, number[]>();
  documents.forEach(({ match }, position) => {
    const known = byMatch.get(match);
    if (known === undefined) byMatch.set(match, [position]);
    else known.push(position);
  });
  const units = [...byMatch].flatMap(([match, members]): (number | Group)[] => {
    // An asynchronous expression cannot be evaluated during the selection.
    const canAsk = match === undefined || match.engine === "compiled";
    if (members.length < GROUP_SIZE || !canAsk) return members;
    const whens = members.map((position) => {
      const { when, mode } = documents[position] as Selectable;
      return mode === "shadow" ? undefined : when;
    });
    return [{ members, match, whens: indexOf(whens) }];
  });
  return units.sort((a, b) => positionOf(a) - positionOf(b));
}

/** Indexes each condition by the one of its tests whose path distinguishes most conditions. */
function indexOf(conditions: readonly (Expression | undefined)[]): ConditionIndex {
  const tests = conditions.map((condition) => condition?.keyTests?.() ?? []);
  const valuesByPath = new Map<PathRead, Set<unknown>>();
  for (const test of tests.flat()) {
    const values = valuesByPath.get(test.path) ?? new Set();
    valuesByPath.set(test.path, values);
    for (const value of test.kind === "equals" ? test.values : test.prefixes) values.add(value);
  }
  const selectivity = (test: KeyTest): number => valuesByPath.get(test.path)?.size ?? 0;
  const chosen = tests.map((candidates) =>
    candidates.reduce<KeyTest | undefined>(
      (best, test) => (best === undefined || selectivity(test) > selectivity(best) ? test : best),
      undefined,
    ),
  );
  return new ConditionIndex(chosen);
}
