// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KeyTest } from "../../../expressions/analysis/key-tests.ts";
import type { PathRead } from "../../../expressions/runtime/reads/path-read.ts";
import type { Reads } from "../../../expressions/runtime/reads/reads.ts";
import type { EnforcementMode } from "../../../kernel/enforcement-mode.ts";
import type { Expression } from "../../expressions/expression.ts";
import { Candidates, ConditionIndex } from "./condition-index.ts";

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
  readonly #selectsAll: boolean;

  constructor(documents: readonly Selectable[]) {
    this.#units = unitsOf(documents);
    const matches = this.#units.map((unit) =>
      typeof unit === "number" ? documents[unit]?.match : unit.match,
    );
    this.#index = indexOf(matches);
    this.#selectsAll = !this.#index.hasTests && this.#units.every((unit) => typeof unit === "number");
  }

  /** The documents to evaluate for one request; undefined when these are all of them, for any request. */
  positions(reads: Reads, governing: Governing): SelectedPositions | undefined {
    if (this.#selectsAll) return undefined;
    return new SelectedPositions(this.#units, this.#index.candidates(reads), reads, governing);
  }
}

/** Tells whether the `match` of a group is true. */
export interface Governing {
  /** Called once for each group. If undefined, each member is evaluated. */
  governs(group: Group): boolean | undefined;
}

/** A matching group, with the next of its members. */
interface OpenGroup {
  next: number;
  readonly rest: Candidates;
  /** The positions that `rest` counts; undefined when it gives the members themselves. */
  readonly members: readonly number[] | undefined;
}

/** The positions of the documents to evaluate, ascending. It reads attributes no earlier than it must. */
export class SelectedPositions {
  readonly #units: readonly (number | Group)[];
  readonly #candidates: Candidates;
  readonly #reads: Reads;
  readonly #governing: Governing;
  /** Index of the next unit; Infinity after the last. */
  #unit = -1;
  /** Matching groups by their next members. */
  #open: OpenGroup[] | undefined;
  /** The open group whose member was returned last. */
  #given: OpenGroup | undefined;

  constructor(
    units: readonly (number | Group)[],
    candidates: Candidates,
    reads: Reads,
    governing: Governing,
  ) {
    this.#units = units;
    this.#candidates = candidates;
    this.#reads = reads;
    this.#governing = governing;
  }

  /** The next position; Infinity after the last. */
  next(): number {
    // Only now, not when the last position was returned: finding the next one may read attributes.
    if (this.#given !== undefined) this.#advance(this.#given, this.#open as OpenGroup[]);
    else if (this.#unit !== Infinity) this.#unit = this.#candidates.next();
    this.#given = undefined;
    for (;;) {
      const unit = this.#unit === Infinity ? undefined : (this.#units[this.#unit] as number | Group);
      const member = this.#open?.[0];
      if (member !== undefined && member.next <= (unit === undefined ? Infinity : positionOf(unit))) {
        this.#given = member;
        return member.next;
      }
      if (unit === undefined) return Infinity;
      if (typeof unit === "number") return unit;
      this.#unit = this.#candidates.next();
      this.#enter(unit);
    }
  }

  #enter(group: Group): void {
    const held = this.#governing.governs(group);
    if (held === false) return;
    const { members, whens } = group;
    const opened: OpenGroup =
      held === true
        ? { next: 0, rest: whens.candidates(this.#reads), members }
        : { next: 0, rest: new Candidates(members, [], this.#reads), members: undefined };
    this.#open = this.#open === undefined ? [opened] : [...this.#open, opened];
    this.#advance(opened, this.#open);
  }

  #advance(group: OpenGroup, open: OpenGroup[]): void {
    const position = group.rest.next();
    if (position === Infinity) open.splice(open.indexOf(group), 1);
    else group.next = group.members === undefined ? position : (group.members[position] as number);
    if (open.length > 1) open.sort((a, b) => a.next - b.next);
  }
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
