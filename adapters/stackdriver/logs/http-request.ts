// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StackdriverConfig } from "../config.ts";
import { cutCharacters, textOf } from "../text.ts";

type Mapping = StackdriverConfig["logs"]["httpRequest"];
type Field = keyof Mapping;

/** Fields of google.logging.type.HttpRequest that are int64, which is text in JSON. */
const SIZES: ReadonlySet<Field> = new Set(["requestSize", "responseSize"]);

/** Longer texts are cut, in characters: they are a part of the entry, which must not exceed 256 KiB. */
const MAX_LENGTH = 8192;

/** The httpRequest of an entry; undefined when no variable of the mapping has a value. */
export function httpRequestOf(
  mapping: Mapping,
  variables: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const made = Object.entries(mapping).flatMap(([field, variable]) => {
    const value = Object.hasOwn(variables, variable)
      ? fieldOf(field as Field, variables[variable])
      : undefined;
    return value === undefined ? [] : [[field, value] as const];
  });
  return made.length === 0 ? undefined : Object.fromEntries(made);
}

function fieldOf(field: Field, value: unknown): unknown {
  if (value === undefined || value === null || value === "") return undefined;
  if (field === "status") return wholeNumber(value, 999);
  if (SIZES.has(field)) return wholeNumber(value, Number.MAX_SAFE_INTEGER)?.toString();
  if (field === "latency") return durationOf(value);
  return cutCharacters(textOf(value), MAX_LENGTH);
}

function wholeNumber(value: unknown, max: number): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && number >= 0 && number <= max ? Math.trunc(number) : undefined;
}

/** Milliseconds as google.protobuf.Duration in JSON, such as `0.012s`. */
function durationOf(value: unknown): string | undefined {
  const milliseconds = typeof value === "string" ? Number(value) : value;
  if (typeof milliseconds !== "number" || !(milliseconds >= 0 && milliseconds < 1e12)) return undefined;
  return `${(milliseconds / 1000).toFixed(6)}s`;
}
