// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "./draw.ts";
import {
  HARD_NAMES,
  HARD_NUMBERS,
  HARD_STRINGS,
  NAMES_BY_TYPE,
  PLAIN_STRINGS,
  SMALL_NUMBERS,
} from "./vocabulary.ts";

/** JSON; undefined only as a whole input, for an evaluation without an input. */
export type Json = undefined | null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export function drawInput(draw: Draw): Json {
  if (draw.odds(3)) return undefined;
  if (draw.odds(12)) return draw.times(0, 4, () => drawObject(draw, 1));
  if (draw.odds(10)) return drawAny(draw, 2);
  return drawObject(draw, 2);
}

export const drawNumber = (draw: Draw): number => draw.pick(draw.odds(80) ? SMALL_NUMBERS : HARD_NUMBERS);
export const drawString = (draw: Draw): string => draw.pick(draw.odds(70) ? PLAIN_STRINGS : HARD_STRINGS);

const MAKE_BY_TYPE: Readonly<Record<keyof typeof NAMES_BY_TYPE, (draw: Draw, depth: number) => Json>> = {
  number: (draw) => drawNumber(draw),
  string: (draw) => drawString(draw),
  boolean: (draw) => draw.odds(50),
  numbers: (draw) => draw.times(0, 4, () => drawNumber(draw)),
  strings: (draw) => draw.times(0, 3, () => drawString(draw)),
  objects: (draw, depth) =>
    depth <= 0 ? [] : draw.times(0, draw.pick([1, 2, 3]), () => drawObject(draw, depth - 1)),
  object: (draw, depth) => (depth <= 0 ? {} : drawObject(draw, depth - 1)),
  any: drawAny,
};
const TYPES = Object.keys(NAMES_BY_TYPE) as (keyof typeof NAMES_BY_TYPE)[];

const NAMED_TYPES = TYPES.flatMap((type) => NAMES_BY_TYPE[type].map((name) => ({ name, type })));

function drawObject(draw: Draw, depth: number): JsonObject {
  const fields: [string, Json][] = [];
  const presence = draw.pick(depth > 1 ? [25, 50, 75] : [15, 30, 50]);
  for (const { name, type } of NAMED_TYPES) {
    if (!draw.odds(presence)) continue;
    const make = draw.odds(90) ? MAKE_BY_TYPE[type] : drawAny;
    fields.push([name, make(draw, depth)]);
  }
  if (draw.odds(15)) fields.push([draw.pick(HARD_NAMES), drawAny(draw, depth - 1)]);
  if (draw.odds(20)) fields.reverse();
  return Object.fromEntries(fields);
}

function drawAny(draw: Draw, depth: number): Json {
  switch (draw.int(0, depth > 0 ? 9 : 5)) {
    case 0:
      return null;
    case 1:
      return draw.odds(50);
    case 2:
    case 3:
      return drawNumber(draw);
    case 4:
      return drawString(draw);
    case 5:
      return draw.odds(50) ? [] : {};
    case 6:
    case 7:
      return draw.times(0, 3, () => drawAny(draw, depth - 1));
    case 8:
      return [drawAny(draw, depth - 1)];
    default:
      return drawObject(draw, depth - 1);
  }
}

/** JSON text that keeps the sign of zero; undefined for no input. */
export function inputText(input: Json): string | undefined {
  if (input === undefined) return undefined;
  if (Object.is(input, -0)) return "-0";
  if (typeof input !== "object" || input === null) return JSON.stringify(input);
  if (isArray(input)) return `[${input.map((item) => inputText(item) ?? "undefined").join(",")}]`;
  const fields = Object.entries(input).map(([name, value]) => `${JSON.stringify(name)}:${inputText(value)}`);
  return `{${fields.join(",")}}`;
}

/** Every input that is smaller by one shrinking step. */
export function* smallerInputs(input: Json): Generator<Json> {
  if (input === undefined) return;
  yield undefined;
  yield* smallerValues(input);
}

function* smallerValues(value: Json): Generator<Json> {
  if (typeof value === "object" && value !== null) {
    yield* isArray(value) ? smallerArrays(value) : smallerObjects(value);
    return;
  }
  if (typeof value === "string" && value.length > 1) yield "a";
  if (typeof value === "string" && value !== "" && value !== "a") yield "";
  if (typeof value === "number" && value !== 1 && value !== 0) yield 1;
  if (typeof value === "number" && (value !== 0 || Object.is(value, -0))) yield 0;
  if (value !== null && typeof value !== "number") yield 1;
}

function* smallerArrays(items: readonly Json[]): Generator<Json> {
  if (items.length > 1) yield [];
  for (let index = 0; index < items.length; index++) yield items.toSpliced(index, 1);
  yield* items;
  for (const [index, item] of items.entries())
    for (const smaller of smallerValues(item)) yield items.with(index, smaller);
}

function* smallerObjects(fields: JsonObject): Generator<Json> {
  const entries = Object.entries(fields);
  for (let index = 0; index < entries.length; index++) yield Object.fromEntries(entries.toSpliced(index, 1));
  for (const [, value] of entries) yield value;
  for (const [index, [name, value]] of entries.entries())
    for (const smaller of smallerValues(value))
      yield Object.fromEntries(entries.with(index, [name, smaller]));
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
