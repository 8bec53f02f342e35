// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { GATEWAY_FUNCTIONS } from "../gateway/functions.ts";
import { builtinOf } from "../reference-functions.ts";
import { type CompiledFunction, referenceFunction } from "../runtime/calls.ts";
import type { Guard } from "../runtime/guard.ts";
import { toText } from "../runtime/operators.ts";
import { signatureOf } from "../signatures.ts";
import { each, filter, map, reduce, sift, single, sort } from "./collections.ts";
import { contains, match, replace, split } from "./text.ts";

type Invoke = CompiledFunction["invoke"];

/** Functions of the reference that work at once on what they are given: they are called as they are. */
const OF_THE_REFERENCE = `
  sum count max min average substring substringBefore substringAfter lowercase uppercase length trim pad join
  formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random
  boolean not zip keys lookup append exists spread merge reverse error assert type shuffle distinct
  base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis
`
  .trim()
  .split(/\s+/);

/** Those that would wait for a function or for a regular expression, here without waiting. */
const OWN: Readonly<Record<string, Invoke>> = {
  string: (guard, [value, pretty]) => toText(guard, value, pretty === true),
  clone: (guard, [value]) => (value === undefined ? undefined : JSON.parse(toText(guard, value) as string)),
  contains,
  match,
  replace,
  split,
  map,
  filter,
  single,
  reduce,
  each,
  sift,
  sort,
  fromMillis: (guard, [millis, picture, timezone]) => formatTime(guard, millis, picture, timezone),
  now: (guard, [picture, timezone]) => formatTime(guard, guard.nowMs, picture, timezone),
  millis: (guard: Guard) => guard.nowMs,
};

const FROM_MILLIS = referenceFunction("fromMillis");

/** The last millisecond of the year 9999, and the first of the year 0: between them, ISO 8601 has four digits for a year. */
const [FIRST_MS, LAST_MS] = [-62_167_219_200_000, 253_402_300_799_999];

/** The last time that was written out: requests come many to the millisecond. */
let [lastMs, lastText] = [Number.NaN, ""];

function isoText(time: number): string {
  if (time !== lastMs) {
    // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
    lastText = new Date(time).toISOString();
    lastMs = time;
  }
  return lastText;
}

function formatTime(guard: Guard, millis: unknown, picture: unknown, timezone: unknown): unknown {
  if (picture === undefined && timezone === undefined && Number.isInteger(millis)) {
    const time = millis as number;
    if (time >= FIRST_MS && time <= LAST_MS) return isoText(time);
  }
  return FROM_MILLIS.invoke(guard, [millis, picture, timezone], undefined);
}

/** Functions by name, without the `$`. What is not here is left to the reference interpreter: `$eval`. */
export const COMPILED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map([
  ...OF_THE_REFERENCE.map((name) => [name, referenceFunction(name)] as const),
  ...GATEWAY_FUNCTIONS.map(
    ({ name, prepare }) =>
      [name, { ...referenceFunction(name), ...(prepare === undefined ? {} : { prepare }) }] as const,
  ),
  ...Object.entries(OWN).map(([name, invoke]) => [name, { ...shapeOf(name), invoke }] as const),
]);

/** A function's name, number of parameters and signature, as the reference has them. */
function shapeOf(name: string): Omit<CompiledFunction, "invoke"> {
  const original = builtinOf(name);
  if (original === undefined) throw new Error(`The reference has no function ${name}`);
  const { implementation, signature } = original;
  return {
    name,
    arity: implementation.length,
    signature: signature === undefined ? undefined : signatureOf(signature as { definition: string }),
  };
}
