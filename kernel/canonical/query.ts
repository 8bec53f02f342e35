// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf, headerTextOf } from "./header-text.ts";

/**
 * The query with every byte beyond ASCII escaped; anything else in it is left to those who read it.
 *
 * @param query with its `?`, or empty. A character of U+0080 to U+00FF is a byte, any other its UTF-8.
 */
export function canonicalQuery(query: string): string {
  return query.replace(/[\x80-\xff]|[^\0-\xff]+/g, (run) => {
    const bytes = run.charCodeAt(0) <= 0xff ? run : headerBytesOf(run);
    return bytes.replace(/[^]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  });
}

/** A query's parameters. Without a prototype, so that no name is special. */
export interface QueryParameters {
  /** The first value of each parameter, as in Mixer. */
  readonly first: Readonly<Record<string, string>>;
  /** All values of those that came several times, in order; undefined when none did. */
  readonly repeated: Readonly<Record<string, readonly string[]>> | undefined;
}

/**
 * Reads a query as forms write it (WHATWG URL, application/x-www-form-urlencoded): `+` is a space, and an
 * incomplete escape stands for itself. Bytes that are no UTF-8 are read as Latin-1, as in headers (header-text.ts).
 *
 * @param query canonical; with its `?`, or empty.
 */
export function parseQuery(query: string): QueryParameters {
  const first = Object.create(null) as Record<string, string>;
  let repeated: Record<string, string[]> | undefined;
  for (const pair of query.slice(1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
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
