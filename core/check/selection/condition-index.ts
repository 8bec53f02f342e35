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

  /** Collects the conditions that may be true for the request's value. */
  collect(reads: Reads, into: number[]): void {
    const value = reads.valueOf(this.path);
    if (value === undefined) return;
    addAll(into, this.#equals.get(value));
    if (typeof value !== "string") {
      addAll(into, this.#allPrefixed);
      return;
    }
    for (const [length, byText] of this.#prefixes) {
      if (value.length >= length) addAll(into, byText.get(value.slice(0, length)));
    }
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

  *candidates(reads: Reads): Generator<number> {
    const always = this.#always;
    let nextAlways = 0;
    let nextPath = 0;
    let found: number[] = [];
    for (;;) {
      const position = Math.min(always[nextAlways] ?? Infinity, found[0] ?? Infinity);
      const path = this.#paths[nextPath];
      if (path !== undefined && path.first <= position) {
        const before = found.length;
        path.collect(reads, found);
        // Several values may find the same condition.
        if (found.length > before && found.length > 1) found = [...new Set(found)].sort((a, b) => a - b);
        nextPath++;
        continue;
      }
      if (position === Infinity) return;
      if (always[nextAlways] === position) nextAlways++;
      else found.shift();
      yield position;
    }
  }
}

function addAll(into: number[], positions: Positions | undefined): void {
  if (positions !== undefined) for (const position of positions) into.push(position);
}

function push<K>(map: Map<K, number[]>, key: K, position: number): void {
  const positions = map.get(key);
  if (positions === undefined) map.set(key, [position]);
  else positions.push(position);
}
