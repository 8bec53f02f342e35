// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ENDING_FORMATS } from "./endless-formats.ts";
import { GATEWAY_FUNCTIONS } from "./added/functions.ts";
import { builtinOf } from "./reference-functions.ts";
import type { CompiledFunction } from "../runtime/callee.ts";
import { referenceFunction } from "./reference-call.ts";
import type { Guard } from "../runtime/guard.ts";
import { toText } from "../runtime/operators.ts";
import { append } from "../runtime/sequence.ts";
import { signatureOf } from "../runtime/signatures.ts";
import { each, filter, map, reduce, sift, single, sort } from "./collections.ts";
import { isoMillis, isoText } from "./iso-time.ts";
import { join, length, pad, substring, substringAfter, substringBefore } from "./plain-text.ts";
import { contains, match, replace, split } from "./text.ts";
import { boolean, clone, distinct, jsonStringify, keys, lookUp, merge, not, spread } from "./values.ts";

type Invoke = CompiledFunction["invoke"];

/** Functions of the reference that work at once on what they are given: they are called as they are. */
const OF_THE_REFERENCE = `
  sum count max min average lowercase uppercase trim
  formatBase parseInteger number floor ceil round abs sqrt power random
  zip exists reverse error assert type shuffle
  base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl
`
  .trim()
  .split(/\s+/);

/** Those that would wait for a function or for a regular expression, here without waiting; and those that have to be charged. */
const OWN: Readonly<Record<string, Invoke>> = {
  string: (guard, [value, pretty]) => toText(guard, value, pretty === true),
  clone,
  boolean,
  not,
  keys,
  lookup: lookUp,
  append: (guard, [left, right]) => append(guard, left, right),
  spread,
  merge,
  distinct,
  jsonStringify,
  substring,
  substringBefore,
  substringAfter,
  length,
  join,
  pad,
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
  toMillis: (guard, [text, picture]) => parseTime(guard, text, picture),
  now: (guard, [picture, timezone]) => formatTime(guard, guard.nowMs, picture, timezone),
  millis: (guard: Guard) => guard.nowMs,
};

const FROM_MILLIS = referenceFunction("fromMillis");
const TO_MILLIS = referenceFunction("toMillis");

function formatTime(guard: Guard, millis: unknown, picture: unknown, timezone: unknown): unknown {
  const quick =
    picture === undefined && timezone === undefined && typeof millis === "number"
      ? isoText(millis)
      : undefined;
  return quick ?? FROM_MILLIS.invoke(guard, [millis, picture, timezone], undefined);
}

function parseTime(guard: Guard, text: unknown, picture: unknown): unknown {
  const quick = picture === undefined && typeof text === "string" ? isoMillis(text) : undefined;
  return quick ?? TO_MILLIS.invoke(guard, [text, picture], undefined);
}

/** Functions by name, without the `$`. What is not here is left to the reference interpreter: `$eval`. */
export const COMPILED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map([
  ...OF_THE_REFERENCE.map((name) => [name, referenceFunction(name)] as const),
  ...[...ENDING_FORMATS].map(([name, format]) => [name, referenceFunction(name, format)] as const),
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
