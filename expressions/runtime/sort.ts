// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import type { Guard } from "./guard.ts";
import type { Sequence } from "./sequence.ts";
import type { Tuple, TupleStep } from "./tuples.ts";
import { chargeComparison, isArrayOfNumbers, isArrayOfStrings } from "./values.ts";

/** Whether `a` comes after `b`. */
export type ComesAfter = (a: unknown, b: unknown) => boolean;

export interface SortTerm {
  readonly valueOf: TupleStep;
  readonly descending: boolean;
}

/**
 * A stable merge sort with the reference's order of comparisons, which a failing or inconsistent comparator
 * reveals.
 */
export function mergeSort(guard: Guard, items: readonly unknown[], comesAfter: ComesAfter): unknown[] {
  if (items.length <= 1) return items as unknown[];
  const middle = Math.floor(items.length / 2);
  const left = mergeSort(guard, items.slice(0, middle), comesAfter);
  const right = mergeSort(guard, items.slice(middle), comesAfter);
  const merged: unknown[] = [];
  let [l, r] = [0, 0];
  while (l < left.length && r < right.length) {
    guard.tick();
    merged.push(comesAfter(left[l], right[r]) ? right[r++] : left[l++]);
  }
  return [...merged, ...left.slice(l), ...right.slice(r)];
}

/** `$sort` without a function. */
export function sortPlain(guard: Guard, items: readonly unknown[]): unknown[] {
  if (!isArrayOfNumbers(items) && !isArrayOfStrings(items))
    throw new ExpressionError("D3070", "$sort without a function takes only numbers, or only strings");
  return mergeSort(guard, items, (a, b) => {
    chargeComparison(guard, a, b);
    return (a as number) > (b as number);
  });
}

/** The order-by step `^(…)`. */
export function orderBy(
  guard: Guard,
  input: unknown,
  terms: readonly SortTerm[],
  position: number,
  outer: Tuple,
): unknown {
  if (!Array.isArray(input)) return input;
  if (input.length <= 1) return input;
  const items = input as Sequence;
  const inTuples = items.tupleStream === true;
  const valueOf = ({ valueOf: of }: SortTerm, item: unknown): unknown =>
    inTuples ? of((item as Tuple)["@"], item as Tuple) : of(item, outer);
  const sorted = mergeSort(guard, items, (a, b) => {
    for (const term of terms) {
      const compared = compareTerm(guard, valueOf(term, a), valueOf(term, b), position);
      // Absent values sort last in both directions.
      if (compared === "a-absent") return true;
      if (compared === "b-absent") return false;
      if (compared !== 0) return term.descending ? compared < 0 : compared > 0;
    }
    return false;
  });
  return sorted;
}

function compareTerm(
  guard: Guard,
  a: unknown,
  b: unknown,
  position: number,
): number | "a-absent" | "b-absent" {
  if (a === undefined) return b === undefined ? 0 : "a-absent";
  if (b === undefined) return "b-absent";
  for (const value of [a, b]) {
    if (typeof value !== "string" && typeof value !== "number")
      throw new ExpressionError("T2008", "only numbers and strings can be ordered", { position, value });
  }
  if (typeof a !== typeof b)
    throw new ExpressionError("T2007", `a ${typeof a} cannot be ordered with a ${typeof b}`, {
      position,
      value: a,
    });
  chargeComparison(guard, a, b);
  return a === b ? 0 : (a as number) < (b as number) ? -1 : 1;
}
