// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { lambdaEnded, located } from "../../runtime/calls/call-errors.ts";
import type { CallSite } from "../../runtime/calls/call-sites.ts";
import type { CompiledFunction, Lambda } from "../../runtime/calls/callee.ts";
import { applyFunction, callback, declaredArity, finish } from "../../runtime/calls/calls.ts";
import type { Guard } from "../../runtime/guard.ts";
import { createSequence } from "../../runtime/sequence.ts";
import { mergeSort, sortPlain } from "../../runtime/sort.ts";
import { truthy } from "../../runtime/values.ts";

type Values = readonly unknown[];

export function map(guard: Guard, [given, target]: Values): unknown {
  if (given === undefined) return undefined;
  const items = itemsOf(guard, given);
  const call = callback(guard, target);
  const result = createSequence();
  items.forEach((item, index) => {
    const value = call(item, index, items);
    if (value !== undefined) result.push(value);
    guard.sequence(result.length);
  });
  return result;
}

export function filter(guard: Guard, [given, target]: Values): unknown {
  if (given === undefined) return undefined;
  const items = itemsOf(guard, given);
  const call = callback(guard, target);
  return createSequence(items.filter((item, index) => truthy(guard, call(item, index, items))));
}

/** `$map` with a lambda that is written in place and has no signature. */
export const mapDirectly = goThrough((_guard, result, _item, value) => {
  if (value !== undefined) result.push(value);
});

/** `$filter` with a lambda that is written in place and has no signature. */
export const filterDirectly = goThrough((guard, result, item, value) => {
  if (truthy(guard, value)) result.push(item);
});

/** @param take Adds to the result, given an item and the value of the lambda for it. */
function goThrough(take: (guard: Guard, result: unknown[], item: unknown, value: unknown) => void) {
  return (
    guard: Guard,
    given: unknown,
    run: Run,
    arity: number,
    called: CompiledFunction,
    site: CallSite,
  ): unknown => {
    if (given === undefined) return undefined;
    guard.sites.set(called, site);
    const items: unknown[] = Array.isArray(given) ? given : [given];
    const result = createSequence();
    for (let index = 0; index < items.length; index++)
      take(guard, result, items[index], runOnce(guard, run, arity, items[index], index, items, called));
    guard.sequence(result.length);
    return result;
  };
}

type Run = Lambda["run"];

function runOnce(
  guard: Guard,
  run: Run,
  arity: number,
  item: unknown,
  index: number,
  items: Values,
  called: CompiledFunction,
): unknown {
  const values = arity < 2 ? [item] : arity === 2 ? [item, index] : [item, index, items];
  try {
    return finish(guard, run(values), null);
  } catch (error: unknown) {
    lambdaEnded(error);
    const site = guard.sites.of(called);
    throw site === undefined ? error : located(error, site);
  }
}

export function single(guard: Guard, [given, target]: Values): unknown {
  if (given === undefined) return undefined;
  const items = itemsOf(guard, given);
  const call = target === undefined ? () => true : callback(guard, target);
  let found: { readonly item: unknown } | undefined;
  items.forEach((item, index) => {
    if (!truthy(guard, call(item, index, items))) return;
    if (found !== undefined) throw new ExpressionError("D3138", "$single found more than one item");
    found = { item };
  });
  if (found === undefined) throw new ExpressionError("D3139", "$single found no item");
  return found.item;
}

export function reduce(guard: Guard, [given, target, initial]: Values): unknown {
  if (given === undefined) return undefined;
  const items = itemsOf(guard, given);
  // A partial application calls with unchecked arguments: the second may be no function.
  if ((declaredArity(target) ?? (target as { readonly length: number }).length) < 2)
    throw new ExpressionError("D3050", "the function given to $reduce must take two values");
  const call = callback(guard, target);
  const fromFirst = initial === undefined && items.length > 0;
  let result = fromFirst ? items[0] : initial;
  for (let index = fromFirst ? 1 : 0; index < items.length; index++)
    result = call(result, items[index], index, items);
  return result;
}

export function each(guard: Guard, [object, target]: Values): unknown {
  const call = callback(guard, target);
  const result = createSequence();
  for (const [name, member] of entriesOf(guard, object)) {
    const value = call(member, name, object);
    if (value !== undefined) result.push(value);
  }
  return result;
}

export function sift(guard: Guard, [object, target]: Values): unknown {
  const call = callback(guard, target);
  const result = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of entriesOf(guard, object)) {
    if (truthy(guard, call(member, name, object))) result[name] = member;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

export function sort(guard: Guard, [given, target]: Values): unknown {
  if (given === undefined) return undefined;
  const items = given as Values;
  if (items.length <= 1) return items;
  if (target === undefined) return sortPlain(guard, items);
  if (!Array.isArray(given)) return given;
  // JSONata passes both values here, even to a function that declares fewer parameters.
  return mergeSort(guard, items, (a, b) => Boolean(applyFunction(guard, target, [a, b], null)));
}

/** The items of an unchecked argument, as JSONata's loop over `length` and indices would find them. */
function itemsOf(guard: Guard, given: unknown): Values {
  if (Array.isArray(given)) return given;
  if (typeof given === "string") return given.split("");
  const { length } = (given ?? {}) as { readonly length?: unknown };
  if (typeof given !== "object" || typeof length !== "number" || !(length > 0)) return [];
  guard.sequence(length);
  return Array.from({ length }, (_, index) => (given as Record<number, unknown>)[index]);
}

function entriesOf(guard: Guard, value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [];
  return guard.namesOf(value).map((name) => [name, (value as Record<string, unknown>)[name]]);
}
