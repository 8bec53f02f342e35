// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "./guard.ts";

/**
 * JSONata's sequences are arrays with flags, represented as in the reference implementation, so that its own
 * functions accept them. `sequence`: as a result, a sequence of one item becomes that item, and an empty one
 * becomes absent; `keepSingleton`: a sequence of one item stays an array; `cons`: an array from an array
 * constructor is not flattened; `outerWrapper`: an array that is the whole input, in a sequence of its own;
 * `tupleStream`: its items are tuples with bindings.
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

/** Settles a value: a sequence becomes its result, as its flags say. */
export function settle(value: unknown, keepArray = false): unknown {
  if (!isSequence(value) || value.tupleStream === true) return value;
  if (keepArray) value.keepSingleton = true;
  if (value.length === 0) return undefined;
  return value.length === 1 && value.keepSingleton !== true ? value[0] : value;
}

/** The root context of an input: an array is wrapped, so that it counts as one item. */
export function outerContext(input: unknown): unknown {
  if (!Array.isArray(input) || (input as Sequence).sequence === true) return input;
  const wrapper = createSequence([input]);
  wrapper.outerWrapper = true;
  return wrapper;
}

/** Whether a literal first step is the path's result, for any later steps: an empty array. */
export function endsPath(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}

/** The value of `$`: the context, without an outer wrapper. */
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

/**
 * An array constructor: items that are array constructors stay arrays, other arrays are flattened into it.
 */
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
