// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { behindView } from "./reads/recorder.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { calleeOf } from "./calls/callee.ts";
import { isFunction } from "./calls/function-marks.ts";
import type { Guard } from "./guard.ts";

/** A number that is one. @throws {ExpressionError} D1001 for an infinite one, which arithmetic can make. */
export function isNumeric(value: unknown): value is number {
  if (typeof value !== "number" || Number.isNaN(value)) return false;
  if (!Number.isFinite(value)) throw new ExpressionError("D1001", `${value} is out of range`, { value });
  return true;
}

/** JSONata's idea of truth; no value is false. */
export function truthy(guard: Guard, value: unknown): boolean {
  if (value === true) return true;
  if (value === undefined || value === false || value === null) return false;
  if (typeof value === "string") return value.length > 0;
  if (typeof value === "number") return isNumeric(value) && value !== 0;
  if (Array.isArray(value)) {
    guard.tick(value.length + 1);
    return value.length === 1 ? truthy(guard, value[0]) : anyTruthy(guard, value);
  }
  return typeof value === "object" && !isFunction(value) && guard.namesOf(value).length > 0;
}

/** Every item is looked at, as an infinite number anywhere is an error. */
function anyTruthy(guard: Guard, items: readonly unknown[]): boolean {
  let any = false;
  for (const item of items) if (truthy(guard, item)) any = true;
  return any;
}

export function isArrayOfNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.filter((item) => !isNumeric(item)).length === 0;
}

export function isArrayOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Characters of two texts that are compared in the time of a step: they are compared by the machine word. */
const COMPARED_PER_STEP = 256;

/** Charges for a comparison of two values, which takes as long as the shorter of two texts. */
export function chargeComparison(guard: Guard, a: unknown, b: unknown): void {
  if (typeof a !== "string" || typeof b !== "string" || a.length <= COMPARED_PER_STEP) return;
  guard.tick(Math.min(a.length, b.length) / COMPARED_PER_STEP);
}

/** Equal in depth: arrays item by item, objects whatever the order of their names. */
export function deepEqual(guard: Guard, a: unknown, b: unknown): boolean {
  chargeComparison(guard, a, b);
  if (a === b) return true;
  // A named function has a new value at each mention: functions are equal when what they call is.
  if (isFunction(a)) return calleeOf(a) !== undefined && calleeOf(a) === calleeOf(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  guard.tick();
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => deepEqual(guard, item, b[index]));
  const names = Object.getOwnPropertyNames(a).sort();
  const others = Object.getOwnPropertyNames(b).sort();
  guard.tick(3 * (names.length + others.length));
  if (names.length !== others.length || names.some((name, index) => name !== others[index])) return false;
  return names.every((name) =>
    deepEqual(guard, (a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  );
}

/**
 * Charges for values in place of texts and numbers: JavaScript makes a text of an array, and of the arrays in it, wherever it
 * expects one. Where a function is applied in part, nothing checked what it is given.
 * @throws {ExpressionError} D1012, D2015
 */
export function chargeCoercion(guard: Guard, values: readonly unknown[]): void {
  for (const value of values) {
    if (!Array.isArray(value)) continue;
    for (const item of value as readonly unknown[]) if (Array.isArray(item)) weigh(guard, item);
  }
}

/** Steps for each part of a value that is written out, and perhaps read in again. */
const STEPS_PER_PART = 5;

/**
 * Charges for writing `value` out, and holds its characters, items and properties to the guard's limit. A part that is
 * shared counts as often as it would be written.
 * @returns whether it is to be copied first: there is a view of the request in it, which is slow to write out, or a function of
 * the host's, which JavaScript may call.
 */
export function weigh(guard: Guard, value: unknown): boolean {
  let left = guard.maxWeight;
  let isToBeCopied = false;
  const visit = (item: unknown): void => {
    left -= typeof item === "string" ? item.length + 1 : 1;
    if (left < 0)
      throw new ExpressionError("D2015", `a value weighs more than ${guard.maxWeight} characters and items`);
    guard.tick(STEPS_PER_PART);
    if (typeof item === "string") guard.chars(item.length);
    else if (typeof item === "function") isToBeCopied = true;
    if (typeof item !== "object" || item === null || isFunction(item)) return;
    const plain = behindView(item);
    if (plain !== item) isToBeCopied = true;
    if (Array.isArray(plain)) plain.forEach(visit);
    else
      for (const [name, member] of Object.entries(plain)) {
        left -= name.length;
        visit(member);
      }
  };
  visit(value);
  return isToBeCopied;
}
