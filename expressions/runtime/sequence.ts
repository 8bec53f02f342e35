// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "./guard.ts";

/**
 * JSONata's sequences are arrays with flags, here as the reference implementation has them, so that its own functions
 * can be called with them: `sequence`: gives way to its one item, or to no value, wherever it is a result;
 * `keepSingleton`: does not give way to one item; `cons`: an array that was written as one is not flattened;
 * `outerWrapper`: an array that is the input of the whole, in a sequence of its own; `tupleStream`: items with bindings.
 */
export interface Sequence extends Array<unknown> {
  sequence?: boolean;
  keepSingleton?: boolean;
  cons?: boolean;
  outerWrapper?: boolean;
  tupleStream?: boolean;
}

export function createSequence(items: unknown[] = []): Sequence {
  const sequence = items as Sequence;
  sequence.sequence = true;
  return sequence;
}

export function isSequence(value: unknown): value is Sequence {
  return Array.isArray(value) && (value as Sequence).sequence === true;
}

/** What a sequence is as a result. */
export function settle(value: unknown, keepArray = false): unknown {
  if (!isSequence(value) || value.tupleStream === true) return value;
  if (keepArray) value.keepSingleton = true;
  if (value.length === 0) return undefined;
  return value.length === 1 && value.keepSingleton !== true ? value[0] : value;
}

/** The input of an expression as its context: an array counts as one item. */
export function outerContext(input: unknown): unknown {
  if (!Array.isArray(input) || (input as Sequence).sequence === true) return input;
  const wrapper = createSequence([input]);
  wrapper.outerWrapper = true;
  return wrapper;
}

/** Whether a first step that is written out is the result, whatever steps follow. */
export function endsPath(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}

/** The value of `$`. */
export function contextValue(context: unknown): unknown {
  return Array.isArray(context) && (context as Sequence).outerWrapper === true ? context[0] : context;
}

export function append(guard: Guard, left: unknown, right: unknown): unknown {
  if (left === undefined) return right;
  if (right === undefined) return left;
  const a: unknown[] = Array.isArray(left) ? left : createSequence([left]);
  const b: unknown[] = Array.isArray(right) ? right : [right];
  guard.sequence(a.length + b.length);
  return a.concat(b);
}

/** An array constructor: items that were written as arrays are items, others join. */
export function buildArray(
  guard: Guard,
  items: readonly unknown[],
  nested: readonly boolean[],
  cons: boolean,
): unknown {
  let result: unknown = [];
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (item === undefined) continue;
    if (nested[index] === true) (result as unknown[]).push(item);
    else result = append(guard, result, item);
  }
  if (cons) Object.defineProperty(result, "cons", { value: true, enumerable: false, configurable: false });
  return result;
}
