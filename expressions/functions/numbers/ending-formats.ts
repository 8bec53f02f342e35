// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { builtinOf, type ReferenceFunction } from "../../runtime/calls/jsonata-functions.ts";

/**
 * Refuses values on which JSONata's formatting of numbers never ends: it divides an infinity by ten until it is small, and
 * multiplies a value that converts to 0, such as an empty text, until it is large.
 * @throws {ExpressionError} D1001
 */
export function refuseEndlessNumber(value: unknown): void {
  if (isEndless(value))
    throw new ExpressionError("D1001", "what is formatted is not a finite number", { value });
}

function isEndless(value: unknown): boolean {
  if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return false;
  const number = Number(value);
  return number === 0 || Math.abs(number) === Infinity;
}

/** JSONata searches for an empty separator without end. @throws {ExpressionError} D3080 */
function refuseEndlessGrouping(options: unknown): void {
  if ((options as Readonly<Record<string, unknown>> | null | undefined)?.["grouping-separator"] === "")
    throw new ExpressionError("D3080", "the grouping separator of $formatNumber is empty");
}

type Format = (this: unknown, value: unknown, picture: unknown, options?: unknown) => unknown;

/** JSONata's own function that formats numbers, made to fail where it would never end. */
export function endingFormat(name: "formatNumber" | "formatInteger"): Format {
  const { implementation } = builtinOf(name) as ReferenceFunction;
  const format = implementation as Format;
  const ending: Format = function (value, picture, options) {
    refuseEndlessGrouping(options);
    // A mistake in the picture is the first to be reported.
    if (isEndless(value)) format.call(this, 1, picture, options);
    refuseEndlessNumber(value);
    return format.call(this, value, picture, options);
  };
  // JSONata asks how many values a function takes.
  return Object.defineProperty(ending, "length", { value: format.length });
}
