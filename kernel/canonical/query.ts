// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf, headerTextOf } from "./header-text.ts";
import { RecordShapes } from "./record-shapes.ts";

const NOT_ASCII = /[^\0-\x7f]/;

/**
 * Escapes every byte beyond ASCII in a query, and leaves the rest as it is.
 *
 * @param query With its `?`, or empty. A character of U+0080 to U+00FF is a byte, any other its UTF-8.
 */
export function canonicalQuery(query: string): string {
  if (!NOT_ASCII.test(query)) return query;
  return query.replace(/[\x80-\xff]|[^\0-\xff]+/g, (run) => {
    const bytes = run.charCodeAt(0) <= 0xff ? run : headerBytesOf(run);
    return bytes.replace(/[^]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  });
}

/** A query's parameters. No name is inherited: names such as `constructor` are plain keys. */
export interface QueryParameters {
  /** The first value of each parameter, as in Mixer. */
  readonly first: Readonly<Record<string, string>>;
  /** All values, in order, of each parameter that has several; undefined when no parameter has. */
  readonly repeated: Readonly<Record<string, readonly string[]>> | undefined;
}

const NO_PARAMETERS: QueryParameters = {
  first: Object.freeze(Object.create(null) as Record<string, string>),
  repeated: undefined,
};

/**
 * Parses a query as application/x-www-form-urlencoded (WHATWG URL): `+` is a space, and an incomplete escape
 * stands for itself. Bytes that are not UTF-8 are read as Latin-1, as in headers (header-text.ts).
 *
 * @param query Canonical; with its `?`, or empty.
 */
export function parseQuery(query: string): QueryParameters {
  if (query.length < 2) return NO_PARAMETERS;
  const flat: string[] = [];
  for (let start = 1; start < query.length; ) {
    const mark = query.indexOf("&", start);
    const end = mark < 0 ? query.length : mark;
    const pairStart = start;
    start = end + 1;
    if (end === pairStart) continue;
    const equals = query.indexOf("=", pairStart);
    const hasValue = equals >= 0 && equals < end;
    flat.push(decode(query.slice(pairStart, hasValue ? equals : end)));
    flat.push(hasValue ? decode(query.slice(equals + 1, end)) : "");
  }
  const first = shapes.recordOf(flat);
  return first === undefined ? collect(flat) : { first, repeated: undefined };
}

const shapes = new RecordShapes();

/** @param flat name, value, name, value …. */
function collect(flat: readonly string[]): QueryParameters {
  const first = Object.create(null) as Record<string, string>;
  let repeated: Record<string, string[]> | undefined;
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = flat[index + 1] as string;
    const earlier = first[name];
    if (earlier === undefined) first[name] = value;
    else {
      repeated ??= Object.create(null) as Record<string, string[]>;
      (repeated[name] ??= [earlier]).push(value);
    }
  }
  return { first, repeated };
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  return headerTextOf(
    spaced.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}
