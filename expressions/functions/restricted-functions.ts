// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import { tooLarge } from "../errors/too-large.ts";
import type { CompiledFunction } from "../runtime/callee.ts";
import type { ReferenceFunction } from "../runtime/jsonata-functions.ts";
import { refuseEndlessNumber, TO_MILLIS_PICTURE } from "./endless-formats.ts";
import { referenceFunction } from "./reference-call.ts";
import { builtinOf } from "./reference-functions.ts";
import { COMPILED_FUNCTIONS } from "./table.ts";

/** Longest picture, and longest number in one: real ones have a few dozen characters. */
const PICTURE_LENGTH = 256;
type Original = (...values: readonly unknown[]) => unknown;

/**
 * The functions that documents may use in part only, in place of the language's own: JSONata's clock is looked at between the
 * nodes of an expression, never within a function, and these could take very long in one call. Their parameters keep the
 * original's names and number, which JSONata reads for partial application.
 */
export const RESTRICTED_FUNCTIONS: ReadonlyMap<string, CompiledFunction> = new Map([
  ...restrictedPictures().map(([name, builtin]) => [name, referenceFunction(name, builtin)] as const),
  ["now", restrictedNow()],
]);

function restrictedNow(): CompiledFunction {
  const now = COMPILED_FUNCTIONS.get("now") as CompiledFunction;
  return {
    ...now,
    invoke(guard, values, context) {
      checkPicture(values[0]);
      return now.invoke(guard, values, context);
    },
  };
}

function restrictedPictures(): [string, ReferenceFunction][] {
  return [
    restricted(
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
    restricted(
      "formatInteger",
      (original) =>
        function (this: unknown, value: unknown, picture: unknown) {
          refuseEndlessNumber(value);
          checkPicture(picture);
          return original.call(this, value, picture);
        },
    ),
    restricted(
      "parseInteger",
      (original) =>
        function (this: unknown, value: unknown, picture: unknown) {
          checkPicture(picture);
          return original.call(this, value, picture);
        },
    ),
    restricted(
      "fromMillis",
      (original) =>
        function (this: unknown, millis: unknown, picture: unknown, timezone: unknown) {
          checkPicture(picture);
          return original.call(this, millis, picture, timezone);
        },
    ),
    restricted(
      "toMillis",
      (original) =>
        function (this: unknown, timestamp: unknown, picture: unknown) {
          if (picture !== undefined) throw new ExpressionError("D3136", TO_MILLIS_PICTURE);
          return original.call(this, timestamp);
        },
    ),
  ];
}

function restricted(
  name: string,
  wrap: (original: Original) => (this: unknown, ...values: never[]) => unknown,
): [string, ReferenceFunction] {
  const builtin = builtinOf(name) as ReferenceFunction;
  return [name, { ...builtin, implementation: wrap(builtin.implementation as Original) }];
}

function checkPicture(picture: unknown): void {
  if (typeof picture !== "string") return;
  if (picture.length > PICTURE_LENGTH)
    throw tooLarge(`a picture is longer than ${PICTURE_LENGTH} characters`);
  // A width such as [Y,999999999] is padded to.
  if (/,[0-9*-]*[0-9]{4}/.test(picture)) throw tooLarge("a picture has a width above 999");
}
