// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATIC_NAMES, STATIC_VALUES } from "./static-table.ts";

/** How values of a name are sent. */
export type Indexing =
  /** Added to the table when a value comes again. */
  | "repeated"
  /** Never added to a table, here or at any further hop: an attacker could guess a secret by the size of messages. */
  | "never";

/**
 * Fields with secrets (RFC 7541, section 7.1.3). Envoy's and nghttp2's lists have authorization and short cookies; a cookie of
 * any length may be a session's.
 */
const SECRETS = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

/** Whether fields of the name are never indexed, however they came. */
export function isSecret(name: string): boolean {
  return SECRETS.has(name);
}

/** Number of values that a name remembers of those that it did not index. */
const RECENT_VALUES = 4;

/** One name that an encoder has met: its static entries, and its values in the dynamic table. */
export class EncoderName {
  readonly name: string;
  readonly indexing: Indexing;
  /** Index of the first static entry of the name; 0 for none. */
  readonly staticIndex: number;
  /** Static index of each value that has one. */
  readonly staticValues: ReadonlyMap<string, number> | undefined;
  /** Serial numbers of the dynamic table's entries, by value. */
  readonly serials = new Map<string, number>();
  /** Serial number of the last entry that was added; -1 for none. */
  newestSerial = -1;
  /** The value that was sent last as an index alone, and its serial number. Requests of one client mostly repeat it. */
  lastValue: string | undefined = undefined;
  lastSerial = -1;
  readonly #recent: string[] | undefined;

  constructor(name: string) {
    const known = STATICS.get(name);
    this.name = name;
    this.indexing = SECRETS.has(name) ? "never" : "repeated";
    this.staticIndex = known?.index ?? 0;
    this.staticValues = known?.values;
    this.#recent = this.indexing === "never" ? undefined : Array.from({ length: RECENT_VALUES }, () => "");
  }

  /**
   * Whether the value was among the last ones, and may come again. Values that differ each time, such as ids, lengths and
   * most paths, would only push others out of the table. nghttp2 knows such names by a list; most names of a mesh are in no list.
   */
  isRepeated(value: string): boolean {
    const recent = this.#recent as string[];
    const length = value.length;
    const slot = length === 0 ? 0 : (length * 31 + value.charCodeAt(length - 1)) & (RECENT_VALUES - 1);
    if (recent[slot] === value) return true;
    recent[slot] = value;
    return false;
  }
}

interface StaticName {
  readonly index: number;
  readonly values: Map<string, number> | undefined;
}

const STATICS = new Map<string, StaticName>();
for (let index = 1; index < STATIC_NAMES.length; index++) {
  const name = STATIC_NAMES[index] as string;
  const value = STATIC_VALUES[index] as string;
  const known = STATICS.get(name);
  if (known !== undefined) known.values?.set(value, index);
  else STATICS.set(name, { index, values: value === "" ? undefined : new Map([[value, index]]) });
}
