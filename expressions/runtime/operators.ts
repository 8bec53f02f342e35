// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataObject } from "../data.ts";
import { isView, readWhole } from "./reads/recorder.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { builtinOf } from "./calls/jsonata-functions.ts";
import { type Guard, SMALL } from "./guard.ts";
import { createSequence, type Sequence } from "./sequence.ts";
import { isFunction } from "./calls/function-marks.ts";
import { chargeComparison, deepEqual, isNumeric, weigh } from "./values.ts";

type Arithmetic = "+" | "-" | "*" | "/" | "%";
type Ordering = "<" | "<=" | ">" | ">=";

/** Largest range that the reference makes. */
const LARGEST_RANGE = 10_000_000;

export function arithmetic(
  operator: Arithmetic,
  left: unknown,
  right: unknown,
  position: number,
  token: string,
): number | undefined {
  if (left !== undefined && !checkNumeric(left, position, token))
    throw new ExpressionError("T2001", `the left side of ${operator} is not a number`, {
      position,
      token,
      value: left,
    });
  if (right !== undefined && !checkNumeric(right, position, token))
    throw new ExpressionError("T2002", `the right side of ${operator} is not a number`, {
      position,
      token,
      value: right,
    });
  if (left === undefined || right === undefined) return undefined;
  const [a, b] = [left as number, right as number];
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
  }
}

export function negate(value: unknown, position: number, token: string): number | undefined {
  if (value === undefined) return undefined;
  if (isNumeric(value)) return -value;
  throw new ExpressionError("D1002", "only a number can be negated", { position, token, value });
}

export function equals(guard: Guard, left: unknown, right: unknown): boolean {
  return left !== undefined && right !== undefined && deepEqual(guard, left, right);
}

export function differs(guard: Guard, left: unknown, right: unknown): boolean {
  return left !== undefined && right !== undefined && !deepEqual(guard, left, right);
}

export function order(
  guard: Guard,
  operator: Ordering,
  left: unknown,
  right: unknown,
  position: number,
  token: string,
): boolean | undefined {
  for (const side of [left, right]) {
    if (side !== undefined && typeof side !== "string" && typeof side !== "number")
      throw new ExpressionError(
        "T2010",
        `${operator} compares numbers with numbers or strings with strings`,
        {
          position,
          token,
          value: side,
        },
      );
  }
  if (left === undefined || right === undefined) return undefined;
  if (typeof left !== typeof right)
    throw new ExpressionError("T2009", `${operator} compares a ${typeof left} with a ${typeof right}`, {
      position,
      token,
      value: left,
    });
  chargeComparison(guard, left, right);
  const [a, b] = [left as number, right as number];
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

export function includes(guard: Guard, left: unknown, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  if (!Array.isArray(right)) return right === left;
  guard.items(right.length);
  if (typeof left === "string" && left.length > SMALL)
    for (const item of right)
      if (typeof item === "string" && item.length === left.length) chargeComparison(guard, item, left);
  return right.indexOf(left) >= 0;
}

/** JSONata's own way of writing a value out. @throws {ExpressionError} D3001 for an infinite number. */
export function toText(guard: Guard, value: unknown, pretty = false): string | undefined {
  if (typeof value === "string" || value === undefined) return value;
  if (typeof value === "number" && Number.isFinite(value)) return numberText(value);
  if (typeof value === "boolean") return String(value);
  return STRING(weigh(guard, value) ? plainCopy(value) : value, pretty) as string;
}

/**
 * A copy without views of the request, and in which a function of the host's is as empty as the reference writes it: JavaScript
 * would call one named toJSON.
 */
function plainCopy(value: unknown): unknown {
  if (typeof value === "function") return "";
  if (typeof value !== "object" || value === null || isFunction(value)) return value;
  if (isView(value as DataObject)) return readWhole(value);
  if (Array.isArray(value))
    return Object.assign(value.map(plainCopy), { outerWrapper: (value as Sequence).outerWrapper });
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) copy[name] = plainCopy(member);
  return copy;
}

/** 15 digits, as JSONata writes numbers: no traces of binary fractions. */
export function numberText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
}

const STRING = builtinOf("string")?.implementation as (value: unknown, pretty: boolean) => unknown;

export function concat(guard: Guard, left: unknown, right: unknown, position: number, token: string): string {
  try {
    const text = (toText(guard, left) ?? "") + (toText(guard, right) ?? "");
    guard.text(text.length);
    return text;
  } catch (error: unknown) {
    throw Object.assign(error as object, { position, token });
  }
}

export function range(guard: Guard, left: unknown, right: unknown, position: number, token: string): unknown {
  for (const [end, code, side] of [
    [left, "T2003", "left"],
    [right, "T2004", "right"],
  ] as const) {
    if (end !== undefined && !Number.isInteger(end))
      throw new ExpressionError(code, `the ${side} side of .. is not an integer`, {
        position,
        token,
        value: end,
      });
  }
  if (left === undefined || right === undefined) return undefined;
  const [first, last] = [left as number, right as number];
  if (first > last) return undefined;
  const size = last - first + 1;
  if (size > LARGEST_RANGE)
    throw new ExpressionError("D2014", `a range has ${size} items`, { position, token, value: size });
  // Where adding one to a number changes nothing, counting would never end.
  if (size > guard.maxSequence || !Number.isSafeInteger(last) || !Number.isSafeInteger(first))
    throw new ExpressionError("D2015", `a range has more than ${guard.maxSequence} items`, {
      position,
      token,
      value: size,
    });
  guard.sequence(size);
  const items: number[] = [];
  // The first as it is: -0 plus nothing is 0.
  for (let index = 0; index < size; index++) items.push(index === 0 ? first : first + index);
  return createSequence(items);
}

function checkNumeric(value: unknown, position: number, token: string): boolean {
  try {
    return isNumeric(value);
  } catch (error: unknown) {
    throw Object.assign(error as object, { position, token });
  }
}
