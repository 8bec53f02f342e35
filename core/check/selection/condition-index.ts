// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathRead } from "../../../expressions/runtime/reads/path-read.ts";
import type { Reads } from "../../../expressions/runtime/reads/reads.ts";
import type { KeyTest } from "../../../expressions/analysis/key-tests.ts";

/** Positions of conditions, ascending. */
export type Positions = readonly number[];

/** The conditions with a test on the value at one path. */
class PathIndex {
  readonly path: PathRead;
  /** Position of the first condition that is tested by this path. */
  first = Infinity;
  readonly #equals = new Map<unknown, number[]>();
  /** By length of the prefix: there are few lengths, however many prefixes. */
  readonly #prefixes = new Map<number, Map<string, number[]>>();
  readonly #allPrefixed: number[] = [];

  constructor(path: PathRead) {
    this.path = path;
  }

  add(test: KeyTest, position: number): void {
    this.first = Math.min(this.first, position);
    if (test.kind === "equals") {
      for (const value of new Set<unknown>(test.values)) push(this.#equals, value, position);
      return;
    }
    this.#allPrefixed.push(position);
    for (const prefix of test.prefixes) {
      let byText = this.#prefixes.get(prefix.length);
      if (byText === undefined) this.#prefixes.set(prefix.length, (byText = new Map()));
      push(byText, prefix, position);
    }
  }

  /** The conditions that may be true for the request's value, ascending. */
  find(reads: Reads): Positions {
    const value = reads.valueOf(this.path);
    if (value === undefined) return NONE;
    const equal = this.#equals.get(value) ?? NONE;
    if (typeof value !== "string") return merged(equal, this.#allPrefixed);
    let found: Positions = equal;
    for (const [length, byText] of this.#prefixes) {
      if (value.length < length) continue;
      const prefixed = byText.get(value.slice(0, length));
      if (prefixed !== undefined) found = merged(found, prefixed);
    }
    return found;
  }
}

/**
 * Finds which of many conditions may be true for a request, by the request's values instead of evaluating
 * each condition. Positions come in order, and a path is read no earlier than the first condition that it
 * tests, so that the reads are the same as with sequential evaluation.
 */
export class ConditionIndex {
  readonly #always: Positions;
  readonly #paths: readonly PathIndex[];

  /**
   * @param tests For each condition, the test that finds it; undefined: the condition is evaluated for each
   *   request.
   */
  constructor(tests: readonly (KeyTest | undefined)[]) {
    const always: number[] = [];
    const byPath = new Map<PathRead, PathIndex>();
    tests.forEach((test, position) => {
      if (test === undefined) {
        always.push(position);
        return;
      }
      let index = byPath.get(test.path);
      if (index === undefined) byPath.set(test.path, (index = new PathIndex(test.path)));
      index.add(test, position);
    });
    this.#always = always;
    this.#paths = [...byPath.values()].sort((a, b) => a.first - b.first);
  }

  /** Whether some conditions are only evaluated for some requests. */
  get hasTests(): boolean {
    return this.#paths.length > 0;
  }

  /** The conditions to evaluate for one request. */
  candidates(reads: Reads): Candidates {
    return new Candidates(this.#always, this.#paths, reads);
  }
}

/** The conditions to evaluate for one request. Not a generator, which allocates an object for each of them. */
export class Candidates {
  readonly #always: Positions;
  readonly #paths: readonly PathIndex[];
  readonly #reads: Reads;
  #nextAlways = 0;
  #nextPath = 0;
  /** Conditions that paths have found, from `#nextFound` on. */
  #found: Positions = NONE;
  #nextFound = 0;

  constructor(always: Positions, paths: readonly PathIndex[], reads: Reads) {
    this.#always = always;
    this.#paths = paths;
    this.#reads = reads;
  }

  /** The next position; Infinity after the last. */
  next(): number {
    for (;;) {
      const always = positionAt(this.#always, this.#nextAlways);
      const position = Math.min(always, positionAt(this.#found, this.#nextFound));
      const path = this.#paths[this.#nextPath];
      if (path !== undefined && path.first <= position) {
        this.#nextPath++;
        this.#add(path.find(this.#reads));
        continue;
      }
      if (position === Infinity) return Infinity;
      if (always === position) this.#nextAlways++;
      else this.#nextFound++;
      return position;
    }
  }

  #add(found: Positions): void {
    if (found.length === 0) return;
    this.#found = merged(this.#found.slice(this.#nextFound), found);
    this.#nextFound = 0;
  }
}

const NONE: Positions = [];

function positionAt(positions: Positions, index: number): number {
  return index < positions.length ? (positions[index] as number) : Infinity;
}

/** Both lists in order, each position once: several values may find the same condition. */
function merged(one: Positions, other: Positions): Positions {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  return [...new Set([...one, ...other])].sort((a, b) => a - b);
}

function push<K>(map: Map<K, number[]>, key: K, position: number): void {
  const positions = map.get(key);
  if (positions === undefined) map.set(key, [position]);
  // A condition may test for the same prefix twice.
  else if (positions.at(-1) !== position) positions.push(position);
}
