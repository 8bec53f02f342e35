// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import type { Guard } from "./guard.ts";
import { append, type Sequence } from "./sequence.ts";
import type { Tuple, TupleStep } from "./tuples.ts";

/** Evaluators of a `{ key: value }` pair. */
export type Pair = readonly [key: TupleStep, value: TupleStep];

interface Group {
  data: unknown;
  readonly pair: number;
  /** Whether `data` is an array that this group made, to which it appends in place. */
  isOwn: boolean;
}

/** Keys that would make JSONata take the object for a function. */
const RESERVED: ReadonlySet<unknown> = new Set(["_jsonata_lambda", "_jsonata_function"]);

/** The object of `{…}`, alone or after a value whose items it groups by key. */
export function groupBy(
  guard: Guard,
  input: unknown,
  pairs: readonly Pair[],
  position: number,
  outer: Tuple,
): Record<string, unknown> {
  const inTuples = (input as Sequence | undefined)?.tupleStream === true;
  const items = (Array.isArray(input) ? input : [input]) as readonly unknown[];
  // An empty input is grouped as one absent item, so that constant keys still give an object.
  const entries = items.length === 0 && !inTuples ? [undefined] : items;
  const groups = new Map<string, Group>();
  for (const item of entries) {
    const tuple = inTuples ? (item as Tuple) : outer;
    pairs.forEach(([keyOf], pair) => {
      guard.tick();
      const key = keyOf(inTuples ? tuple["@"] : item, tuple);
      if (key === undefined) return;
      if (typeof key !== "string")
        throw new ExpressionError("T1003", "the key of an object must be a string", { position, value: key });
      if (RESERVED.has(key))
        throw new ExpressionError("D1013", `${key} cannot be a key`, { position, value: key });
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { data: item, pair, isOwn: false });
      else if (known.pair === pair) extend(guard, known, item);
      else throw new ExpressionError("D1009", `several pairs give the key ${key}`, { position, value: key });
    });
  }
  return valuesOf(guard, groups, pairs, inTuples, outer);
}

/** Appends like `append`, without copying the group for each item. */
function extend(guard: Guard, group: Group, item: unknown): void {
  if (!group.isOwn || !Array.isArray(group.data) || item === undefined) {
    const before = group.data;
    group.data = append(guard, before, item);
    group.isOwn = before !== undefined && item !== undefined;
    return;
  }
  const { data } = group;
  if (Array.isArray(item)) for (const member of item as unknown[]) data.push(member);
  else data.push(item);
  guard.tick();
  if (data.length > guard.maxSequence) guard.sequence(data.length);
}

function valuesOf(
  guard: Guard,
  groups: ReadonlyMap<string, Group>,
  pairs: readonly Pair[],
  inTuples: boolean,
  outer: Tuple,
): Record<string, unknown> {
  const ordered = Object.create(null) as Record<string, Group>;
  for (const [key, group] of groups) ordered[key] = group;
  const result = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(ordered)) {
    const { data, pair } = ordered[key] as Group;
    const valueOf = (pairs[pair] as Pair)[1];
    const tuple = inTuples ? joinTuples(guard, data) : outer;
    const context = inTuples ? tuple["@"] : data;
    // As in the reference, a tuple is the context of one pair only.
    if (inTuples) delete tuple["@"];
    const value = valueOf(context, tuple);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

/** Merges the tuples of a group: each binding holds the values of all of them. */
function joinTuples(guard: Guard, data: unknown): Tuple {
  if (!Array.isArray(data)) return data as Tuple;
  const joined = Object.assign(Object.create(null), data[0]) as Tuple;
  for (const tuple of data.slice(1) as Tuple[]) {
    for (const name of Object.keys(tuple)) joined[name] = append(guard, joined[name], tuple[name]);
  }
  return joined;
}
