// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { behindView } from "../../attributes/recorder.ts";
import { ExpressionError } from "../expression.ts";
import { calleeOf } from "./callee.ts";
import type { Guard } from "./guard.ts";

/** Whether JSONata would call `value`. */
export function isFunction(value: unknown): boolean {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  const marks = value as { readonly _jsonata_function?: unknown; readonly _jsonata_lambda?: unknown };
  return marks._jsonata_function === true || marks._jsonata_lambda === true;
}

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
  return typeof value === "object" && !isFunction(value) && Object.keys(value).length > 0;
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

/** Equal in depth: arrays item by item, objects whatever the order of their names. */
export function deepEqual(guard: Guard, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // Each mention of a named function makes a value of it.
  if (typeof a === "function") return calleeOf(a) !== undefined && calleeOf(a) === calleeOf(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  guard.tick();
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => deepEqual(guard, item, b[index]));
  const names = Object.getOwnPropertyNames(a).sort();
  const others = Object.getOwnPropertyNames(b).sort();
  if (names.length !== others.length || names.some((name, index) => name !== others[index])) return false;
  return names.every((name) =>
    deepEqual(guard, (a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  );
}

/** How much `value` would be when written out, counted no further than the guard's limit. */
export function weigh(guard: Guard, value: unknown): void {
  let left = guard.maxWeight;
  if (left === Infinity) return;
  const visit = (item: unknown): void => {
    left -= typeof item === "string" ? item.length + 1 : 1;
    if (left < 0)
      throw new ExpressionError("D2015", `a value weighs more than ${guard.maxWeight} characters and items`);
    if (typeof item !== "object" || item === null || isFunction(item)) return;
    const plain = behindView(item);
    if (Array.isArray(plain)) plain.forEach(visit);
    else
      for (const [name, member] of Object.entries(plain)) {
        left -= name.length;
        visit(member);
      }
  };
  visit(value);
}
