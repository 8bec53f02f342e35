// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerTextOf, isAsciiText } from "./header-text.ts";
import { RecordShapes } from "./record-shapes.ts";

/**
 * A message's header fields as attributes, by lower-case name. No name is inherited: names such as
 * `constructor` are plain keys.
 */
export interface HeaderValues {
  /** One text per name: repeated fields are joined as RFC 9110, 5.3 says. */
  readonly joined: Readonly<Record<string, string>>;
  /** The values, in order, of each name that has several fields; undefined when no name has. */
  readonly repeated: Readonly<Record<string, readonly string[]>> | undefined;
}

const shapes = new RecordShapes();

/**
 * @param flat name, value, name, value …: names in lower case, values a character a byte.
 * @param isAscii Whether all values are ASCII, if the caller knows it.
 */
export function headerValues(flat: readonly string[], isAscii: boolean = areAscii(flat)): HeaderValues {
  const joined = isAscii ? shapes.recordOf(flat) : undefined;
  return joined === undefined ? collect(flat) : { joined, repeated: undefined };
}

function areAscii(flat: readonly string[]): boolean {
  for (let index = 1; index < flat.length; index += 2) if (!isAsciiText(flat[index] as string)) return false;
  return true;
}

function collect(flat: readonly string[]): HeaderValues {
  const joined = Object.create(null) as Record<string, string>;
  let repeated: Record<string, string[]> | undefined;
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = headerTextOf(flat[index + 1] as string);
    const earlier = joined[name];
    if (earlier === undefined) joined[name] = value;
    else {
      joined[name] = earlier + separatorOf(name) + value;
      repeated ??= Object.create(null) as Record<string, string[]>;
      (repeated[name] ??= [earlier]).push(value);
    }
  }
  return { joined, repeated };
}

/** Separator between joined fields of the same name: RFC 9110, 5.3; for cookies RFC 9113, 8.2.3. */
export function separatorOf(name: string): string {
  return name === "cookie" ? "; " : ", ";
}
