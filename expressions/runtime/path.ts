// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "./guard.ts";
import { append, createSequence, isSequence, type Sequence, settle } from "./sequence.ts";
import { isFunction } from "./calls/function-marks.ts";
import { isArrayOfNumbers, isNumeric, truthy } from "./values.ts";

export type Step = (context: unknown) => unknown;

/** The value at `name`: own properties only; of an array, the values at `name` of its items. Not settled. */
export function lookup(guard: Guard, input: unknown, name: string): unknown {
  if (Array.isArray(input)) {
    const result = createSequence();
    guard.tick(input.length);
    for (const item of input) {
      const value = lookup(guard, item, name);
      if (Array.isArray(value)) {
        if (result.length + value.length > guard.maxSequence) guard.sequence(result.length + value.length);
        for (const member of value) result.push(member);
      } else if (value !== undefined) result.push(value);
    }
    guard.sequence(result.length);
    return result;
  }
  if (typeof input !== "object" || input === null || !Object.hasOwn(input, name) || isFunction(input))
    return undefined;
  return (input as Record<string, unknown>)[name];
}

/** The sequence that a path begins with. */
export function startPath(input: unknown): unknown[] {
  return Array.isArray(input) ? input : createSequence([input]);
}

/** What has come of names, as a sequence. */
export function sequenceOf(value: unknown): unknown[] {
  return value === undefined ? createSequence() : startPath(value);
}

/** A path of plain names: what it leads to, settled. */
export function followNames(guard: Guard, input: unknown, names: readonly string[]): unknown {
  return settle(walkNames(guard, input, names, true));
}

/** Goes on with names where plain property access found nothing: it does not look into arrays. */
export function followArray(
  guard: Guard,
  from: unknown,
  names: readonly string[],
  follow: (guard: Guard, from: unknown, names: readonly string[], last: boolean) => unknown,
): unknown {
  return Array.isArray(from) ? follow(guard, from, names, false) : undefined;
}

/** A path of names after a variable: an array that was written as one is a single item. */
export function followFrom(guard: Guard, value: unknown, names: readonly string[]): unknown {
  const isOne = Array.isArray(value) && (value as Sequence).cons === true;
  return value === undefined ? undefined : followNames(guard, isOne ? createSequence([value]) : value, names);
}

/** The same as the sequence that further steps go on from. */
export function walkNames(guard: Guard, input: unknown, names: readonly string[], last: boolean): unknown[] {
  let sequence = startPath(input);
  // What is not there has no properties; an empty array of the input is no result.
  if (sequence.length === 0) return createSequence();
  for (let index = 0; index < names.length && sequence.length > 0; index++) {
    const name = names[index] as string;
    sequence = takeStep(
      guard,
      sequence,
      (item) => settle(lookup(guard, item, name)),
      last && index === names.length - 1,
    );
  }
  return sequence;
}

/** One step of a path for each item that has come so far. */
export function takeStep(guard: Guard, input: unknown, step: Step, last: boolean): unknown[] {
  if (input === undefined || (input as unknown[]).length === 0) return createSequence();
  const items = input as unknown[];
  const results: unknown[] = [];
  let total = 0;
  for (let index = 0; index < items.length; index++) {
    guard.tick();
    const result = step(items[index]);
    if (result === undefined) continue;
    results.push(result);
    total += Array.isArray(result) && (result as Sequence).cons !== true ? result.length : 1;
    if (total > guard.maxSequence && results.length > 1) guard.sequence(total);
  }
  if (last && results.length === 1 && Array.isArray(results[0]) && !isSequence(results[0])) return results[0];
  guard.sequence(total);
  const flat = createSequence();
  for (const result of results) {
    if (!Array.isArray(result) || (result as Sequence).cons === true) flat.push(result);
    else for (const item of result) flat.push(item);
  }
  return flat;
}

/** The first step of a path that does not begin with names: its context may be no value at all. */
export function stepFirst(guard: Guard, context: unknown, step: Step, last: boolean): unknown {
  return Array.isArray(context) ? takeStep(guard, context, step, last) : laidFlat(step(context), last);
}

/** A step after a sort, of which a predicate may have left an array without items: that is the result then. */
export function stepAfterSort(guard: Guard, input: unknown, step: Step, last: boolean): unknown {
  return Array.isArray(input) && input.length === 0 ? input : takeStep(guard, input, step, last);
}

/** A step from what has come so far, which most often is one value and no array. */
export function stepOnce(guard: Guard, input: unknown, step: Step, last: boolean): unknown {
  if (Array.isArray(input)) return input.length === 0 ? undefined : takeStep(guard, input, step, last);
  return input === undefined ? undefined : laidFlat(step(input), last);
}

/**
 * The result of a step that was taken from one value, as the sequence that further steps go on from. As in the reference,
 * a sequence is laid flat: a `[]` within the step keeps a list of one item no longer than the step lasts.
 */
export function laidFlat(result: unknown, last: boolean): unknown {
  if (!Array.isArray(result) || (last && !isSequence(result))) return result;
  const sequence = result as Sequence;
  if (sequence.cons === true) return [result];
  return sequence.keepSingleton === true ? createSequence([...sequence]) : result;
}

/** A path of plain names that ends with `[]`, where no array was on the way and the last value is none either. */
export function listOf(value: unknown): unknown[] | undefined {
  return value === undefined ? undefined : Object.assign(createSequence([value]), { keepSingleton: true });
}

/** The same where there was one: whatever is found comes as an array. */
export function followToList(guard: Guard, input: unknown, names: readonly string[]): unknown {
  const last = names[names.length - 1] as string;
  const before = walkNames(guard, input, names.slice(0, -1), false);
  return settle(
    keepSingleton(takeStep(guard, before, (item) => settle(lookup(guard, item, last), true), true)),
  );
}

/** A path that ends with a `[]`, or with an array that was written as one. */
export function keepSingleton(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const sequence = value as Sequence;
  if (sequence.cons === true && sequence.sequence !== true)
    return Object.assign(createSequence([value]), { keepSingleton: true });
  // Only a sequence heeds the flag, and an array of the input must not be written to.
  if (sequence.sequence === true) sequence.keepSingleton = true;
  return value;
}

/** `[n]` with a number that is written. */
export function pickIndex(input: unknown, position: number): unknown {
  const items = Array.isArray(input) ? input : [input];
  const results = createSequence();
  if ((input as Sequence | undefined)?.tupleStream === true) results.tupleStream = true;
  const at = Math.floor(position);
  const item: unknown = items[at < 0 ? items.length + at : at];
  if (Array.isArray(item)) return item;
  if (item !== undefined) results.push(item);
  return results;
}

/** The same as a result. */
export function itemAt(input: unknown, position: number): unknown {
  if (!Array.isArray(input) || (input as Sequence).tupleStream === true)
    return settle(pickIndex(input, position));
  const at = Math.floor(position);
  const item: unknown = input[at < 0 ? input.length + at : at];
  return Array.isArray(item) ? settle(item) : item;
}

/** `[…]`: items for which the predicate is true, or whose index it gives. */
export function filter(guard: Guard, input: unknown, predicate: Step): unknown {
  const items = Array.isArray(input) ? input : createSequence([input]);
  const results = createSequence();
  for (let index = 0; index < items.length; index++) {
    guard.tick();
    const item: unknown = items[index];
    select(guard, results, predicate(item), item, index, items.length);
  }
  guard.sequence(results.length);
  return results;
}

export function select(
  guard: Guard,
  results: unknown[],
  given: unknown,
  item: unknown,
  index: number,
  length: number,
): void {
  if (given === true) {
    results.push(item);
    return;
  }
  if (given === false || given === undefined) return;
  const chosen = isNumeric(given) ? [given] : given;
  if (Array.isArray(chosen)) guard.tick(chosen.length);
  if (!isArrayOfNumbers(chosen)) {
    if (truthy(guard, chosen)) results.push(item);
    return;
  }
  for (const number of chosen) {
    const at = Math.floor(number);
    if ((at < 0 ? length + at : at) === index) results.push(item);
  }
}

/** `*`: the values of all properties, arrays laid flat. */
export function wildcard(guard: Guard, input: unknown): unknown {
  const wrapped = Array.isArray(input) && (input as Sequence).outerWrapper === true && input.length > 0;
  const object: unknown = wrapped ? input[0] : input;
  let results: unknown = createSequence();
  if (typeof object !== "object" || object === null || isFunction(object)) return results;
  for (const name of guard.namesOf(object)) {
    const value = (object as Record<string, unknown>)[name];
    if (Array.isArray(value)) results = append(guard, results, flatten(guard, value, []));
    else (results as unknown[]).push(value);
  }
  guard.sequence((results as unknown[]).length);
  return results;
}

function flatten(guard: Guard, value: readonly unknown[], into: unknown[]): unknown[] {
  for (const item of value) {
    guard.tick();
    if (Array.isArray(item)) flatten(guard, item, into);
    else into.push(item);
  }
  return into;
}

/** `**`: the input, and everything within it. */
export function descendants(guard: Guard, input: unknown): unknown {
  if (input === undefined) return undefined;
  const results = createSequence();
  const visit = (value: unknown): void => {
    guard.tick();
    if (!Array.isArray(value)) results.push(value);
    if (results.length > guard.maxSequence) guard.sequence(results.length);
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null && !isFunction(value))
      for (const name of guard.namesOf(value)) visit((value as Record<string, unknown>)[name]);
  };
  visit(input);
  return results.length === 1 ? results[0] : results;
}
