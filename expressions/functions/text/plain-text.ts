// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { builtinOf } from "../../runtime/calls/jsonata-functions.ts";
import type { Guard } from "../../runtime/guard.ts";
import { indexIn } from "../../runtime/patterns/search.ts";
import { chargeCoercion } from "../../runtime/values.ts";
import { lengthOf, substringOf } from "./fast-text.ts";

/**
 * JSONata's functions of plain texts, in linear time. A partial application calls them with unchecked arguments: arguments of
 * other types go to JSONata's own function, which fails as it does.
 */

type Values = readonly unknown[];
type Original = (...values: readonly unknown[]) => unknown;

const [SUBSTRING, BEFORE, AFTER, LENGTH, JOIN, PAD] = [
  "substring",
  "substringBefore",
  "substringAfter",
  "length",
  "join",
  "pad",
].map((name) => builtinOf(name)?.implementation as Original) as [
  Original,
  Original,
  Original,
  Original,
  Original,
  Original,
];

function original(guard: Guard, call: Original, ...values: readonly unknown[]): unknown {
  chargeCoercion(guard, values);
  return call(...values);
}

export function substring(guard: Guard, [text, start, count]: Values): unknown {
  const isPlain =
    typeof text === "string" &&
    typeof start === "number" &&
    (count === undefined || typeof count === "number");
  return isPlain
    ? substringOf(text, start, count as number | undefined)
    : original(guard, SUBSTRING, text, start, count);
}

export function substringBefore(guard: Guard, [text, part]: Values): unknown {
  if (typeof text !== "string" || typeof part !== "string") return original(guard, BEFORE, text, part);
  const at = indexIn(guard, text, part);
  return at < 0 ? text : text.slice(0, at);
}

export function substringAfter(guard: Guard, [text, part]: Values): unknown {
  if (typeof text !== "string" || typeof part !== "string") return original(guard, AFTER, text, part);
  const at = indexIn(guard, text, part);
  return at < 0 ? text : text.slice(at + part.length);
}

export function length(guard: Guard, [text]: Values): unknown {
  return typeof text === "string" ? lengthOf(text) : original(guard, LENGTH, text);
}

export function join(guard: Guard, [items, separator]: Values): unknown {
  const between = separator ?? "";
  if (
    !Array.isArray(items) ||
    typeof between !== "string" ||
    !items.every((item) => typeof item === "string")
  )
    return original(guard, JOIN, items, separator);
  let size = between.length * Math.max(0, items.length - 1);
  for (const item of items as string[]) size += item.length;
  guard.text(size);
  guard.chars(size);
  return items.join(between);
}

export function pad(guard: Guard, [text, width, given]: Values): unknown {
  const char = given === undefined || given === "" ? " " : given;
  if (typeof text !== "string" || typeof width !== "number" || typeof char !== "string")
    return original(guard, PAD, text, width, given);
  const missing = Math.abs(Math.trunc(width)) - lengthOf(text);
  if (!(missing > 0)) return text;
  guard.text(missing * Math.min(2, char.length) + text.length);
  guard.chars(missing);
  const padding = paddingOf(char, missing);
  return width > 0 ? text + padding : padding + text;
}

/** The first `count` code points of the endless repetition of `text`. */
function paddingOf(text: string, count: number): string {
  if (text.length === 1) return text.repeat(count);
  const chars = Array.from(text);
  return text.repeat(Math.floor(count / chars.length)) + chars.slice(0, count % chars.length).join("");
}
