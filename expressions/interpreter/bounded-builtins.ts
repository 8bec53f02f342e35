// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Data } from "../data.ts";
import { canonicalText } from "../data.ts";
import { refuseEndlessNumber, TO_MILLIS_PICTURE } from "../functions/endless-formats.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { builtinOf } from "../functions/reference-functions.ts";
import type { ReferenceFunction } from "../runtime/jsonata-functions.ts";
import { GATEWAY_FUNCTIONS } from "../functions/added/functions.ts";
import { tooLarge } from "../errors/too-large.ts";
import { isFunctionObject } from "../runtime/function-marks.ts";
import type { ExpressionLimits } from "./limits.ts";

/**
 * JSONata looks at its clock between the nodes of an expression, never within a function. Here are the functions that
 * can do unbounded work, or never end, in one call, each as the original behind a check of what it is given. Their
 * parameters keep the original's names and number, which JSONata reads for partial application.
 */
export type Builtin = ReferenceFunction;

/** Longest picture, and longest number in one: real ones have a few dozen characters. */
const PICTURE_LENGTH = 256;
/** Above it, adding one to a number gives the same number. */
const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER;

/** What replaces the `..` operator in a syntax tree; no expression can name it. */
export const RANGE_FUNCTION = "..";

type Original = (...values: readonly unknown[]) => unknown;

export function boundedBuiltins(limits: ExpressionLimits): ReadonlyMap<string, Builtin> {
  return new Map<string, Builtin>([
    ...GATEWAY_FUNCTIONS.map(({ name }): [string, Builtin] => [name, builtinOf(name) as Builtin]),
    ...boundedTextBuiltins(limits),
    ...boundedPictureBuiltins(),
    ...loopingBuiltins(),
    bounded(
      "distinct",
      (original) =>
        function (this: unknown, arr: unknown) {
          return Array.isArray(arr) && arr.length > 100 ? distinct(arr) : original.call(this, arr);
        },
    ),
    bounded(
      "sort",
      (original) =>
        function (this: unknown, arr: unknown, comparator: unknown) {
          const simple =
            comparator === undefined && Array.isArray(arr) && (isAll(arr, "number") || isAll(arr, "string"));
          return simple ? [...(arr as string[])].sort(ascending) : original.call(this, arr, comparator);
        },
    ),
    [
      RANGE_FUNCTION,
      {
        _jsonata_function: true,
        implementation: (lhs: unknown, rhs: unknown) => range(lhs, rhs, limits.items),
      },
    ],
  ]);
}

/** `$now` and `$millis` for one evaluation: JSONata's own share one time among all evaluations under way. */
export function clockBuiltins(nowMs: number): Record<string, Builtin> {
  const format = (builtinOf("fromMillis") as Builtin).implementation as Original;
  return {
    now: {
      ...(builtinOf("now") as Builtin),
      implementation(this: unknown, picture: unknown, timezone: unknown) {
        checkPicture(picture);
        return format.call(this, nowMs, picture, timezone);
      },
    },
    millis: { ...(builtinOf("millis") as Builtin), implementation: () => nowMs },
  };
}

function boundedTextBuiltins(limits: ExpressionLimits): [string, Builtin][] {
  const checkText = (text: unknown) => {
    if (typeof text === "string" && text.length > limits.weight)
      throw tooLarge(`a text is longer than ${limits.weight} characters`);
    return text;
  };
  return [
    bounded(
      "pad",
      (original) =>
        function (this: unknown, str: unknown, width: unknown, char: unknown) {
          if (Math.abs(Number(width)) > limits.items)
            throw tooLarge(`$pad to more than ${limits.items} characters`);
          return original.call(this, str, width, char);
        },
    ),
    bounded(
      "join",
      (original) =>
        function (this: unknown, strs: unknown, separator: unknown) {
          if (Array.isArray(strs)) {
            const separatorLength = typeof separator === "string" ? separator.length : 0;
            const length = strs.reduce((sum: number, item) => sum + String(item).length + separatorLength, 0);
            if (length > limits.weight) throw tooLarge(`$join to more than ${limits.weight} characters`);
          }
          return original.call(this, strs, separator);
        },
    ),
    bounded(
      "replace",
      (original) =>
        async function (this: unknown, str: unknown, pattern: unknown, replacement: unknown, limit: unknown) {
          return checkText(await original.call(this, str, pattern, replacement, limit));
        },
    ),
    bounded(
      "split",
      (original) =>
        async function (this: unknown, str: unknown, separator: unknown, limit: unknown) {
          const parts = await original.call(this, str, separator, limit);
          if (Array.isArray(parts) && parts.length > limits.items)
            throw tooLarge(`$split into more than ${limits.items} parts`);
          return parts;
        },
    ),
  ];
}

function boundedPictureBuiltins(): [string, Builtin][] {
  return [
    bounded(
      "formatNumber",
      (original) =>
        function (this: unknown, value: unknown, picture: unknown, options: unknown) {
          refuseEndlessNumber(value);
          checkPicture(picture);
          // An empty separator is found everywhere, for ever.
          for (const option of Object.values((options ?? {}) as object)) {
            if (typeof option !== "string" || option.length === 0 || option.length > PICTURE_LENGTH)
              throw new ExpressionError(
                "D3080",
                "the options of $formatNumber must be short, non-empty strings",
              );
          }
          return original.call(this, value, picture, options);
        },
    ),
    bounded(
      "formatInteger",
      (original) =>
        function (this: unknown, value: unknown, picture: unknown) {
          refuseEndlessNumber(value);
          checkPicture(picture);
          return original.call(this, value, picture);
        },
    ),
    bounded(
      "parseInteger",
      (original) =>
        function (this: unknown, value: unknown, picture: unknown) {
          checkPicture(picture);
          return original.call(this, value, picture);
        },
    ),
    bounded(
      "fromMillis",
      (original) =>
        function (this: unknown, millis: unknown, picture: unknown, timezone: unknown) {
          checkPicture(picture);
          return original.call(this, millis, picture, timezone);
        },
    ),
    bounded(
      "toMillis",
      (original) =>
        function (this: unknown, timestamp: unknown, picture: unknown) {
          if (picture !== undefined) throw new ExpressionError("D3136", TO_MILLIS_PICTURE);
          return original.call(this, timestamp);
        },
    ),
  ];
}

/** Calls of built-in functions pass no node of the expression, so the clock is looked at before each of them. */
function loopingBuiltins(): [string, Builtin][] {
  return [
    ...["map", "filter", "single"].map((name) =>
      bounded(
        name,
        (original) =>
          function (this: unknown, arr: unknown, func: unknown) {
            return original.call(this, arr, clocked(this, func));
          },
      ),
    ),
    ...["each", "sift"].map((name) =>
      bounded(
        name,
        (original) =>
          function (this: unknown, obj: unknown, func: unknown) {
            return original.call(this, obj, clocked(this, func));
          },
      ),
    ),
    bounded(
      "reduce",
      (original) =>
        function (this: unknown, sequence: unknown, func: unknown, init: unknown) {
          return original.call(this, sequence, clocked(this, func), init);
        },
    ),
  ];
}

function clocked(focus: unknown, func: unknown): unknown {
  if (typeof func !== "function") return func;
  const { base } = (focus as { readonly environment: { readonly base: { guardrails(): void } } }).environment;
  const guarded = function (this: unknown, ...values: unknown[]): unknown {
    base.guardrails();
    return (func as Original).apply(this, values);
  };
  return Object.assign(guarded, { arity: (func as { arity?: number }).arity ?? func.length });
}

function bounded(
  name: string,
  wrap: (original: Original) => (this: unknown, ...values: never[]) => unknown,
): [string, Builtin] {
  const builtin = builtinOf(name) as Builtin;
  return [name, { ...builtin, implementation: wrap(builtin.implementation as Original) }];
}

export function checkPicture(picture: unknown): void {
  if (typeof picture !== "string") return;
  if (picture.length > PICTURE_LENGTH)
    throw tooLarge(`a picture is longer than ${PICTURE_LENGTH} characters`);
  // A width such as [Y,999999999] is padded to.
  if (/,[0-9*-]*[0-9]{4}/.test(picture)) throw tooLarge("a picture has a width above 999");
}

/** The items that differ, in the time that writing them out takes; the original compares each with each. */
function distinct(items: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  const results = items.filter((item) => {
    const isObject = typeof item === "object" && item !== null && !isFunctionObject(item);
    // No primitive is equal to a text that stands for an object: primitives that are texts are wrapped as well.
    const identity = isObject
      ? canonicalText(item as Data)
      : typeof item === "string"
        ? JSON.stringify(item)
        : item;
    return !seen.has(identity) && seen.add(identity);
  });
  return Object.assign(
    results,
    (items as { sequence?: boolean }).sequence === true ? { sequence: true } : {},
  );
}

function isAll(items: readonly unknown[], type: "number" | "string"): boolean {
  return items.every((item) => typeof item === type);
}

function ascending(a: string, b: string): number {
  return a > b ? 1 : a < b ? -1 : 0;
}

/** The integers from `lhs` to `rhs`. The original counts for ever where adding one to a number changes nothing. */
function range(lhs: unknown, rhs: unknown, limit: number): unknown {
  for (const [end, code, side] of [
    [lhs, "T2003", "left"],
    [rhs, "T2004", "right"],
  ] as const) {
    if (end !== undefined && !Number.isInteger(end))
      throw new ExpressionError(
        code,
        `The ${side} side of the range operator (..) must evaluate to an integer`,
      );
  }
  if (lhs === undefined || rhs === undefined) return undefined;
  const [first, last] = [lhs as number, rhs as number];
  if (first > last) return undefined;
  if (Math.max(-first, last) > LARGEST_INTEGER || last - first >= limit)
    throw tooLarge(`a range has more than ${limit} items`);
  const items = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return Object.assign(items, { sequence: true });
}
