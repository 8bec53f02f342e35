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

/** Characters of a value, beside its last one, that tell it from others. */
const SAMPLES = 8;

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
  /** The entry that was sent last as an index alone: the table's own value. Requests of one client mostly repeat it. */
  lastValue: string | undefined = undefined;
  lastSerial = -1;
  readonly #recent = new Int32Array(RECENT_VALUES);

  constructor(name: string) {
    const known = STATICS.get(name);
    this.name = name;
    this.indexing = SECRETS.has(name) ? "never" : "repeated";
    this.staticIndex = known?.index ?? 0;
    this.staticValues = known?.values;
  }

  /**
   * Whether the value was probably among the last ones, and may come again. Values that differ each time, such as ids, lengths
   * and most paths, would only push others out of the table. nghttp2 knows such names by a list; most names of a mesh are in no
   * list. Fingerprints are kept instead of values, which would keep the memory of whole heads; where two are equal by chance, a
   * value is indexed too early.
   */
  isRepeated(value: string): boolean {
    const print = fingerprintOf(value);
    const slot = print & (RECENT_VALUES - 1);
    if (this.#recent[slot] === print) return true;
    this.#recent[slot] = print;
    return false;
  }
}

/** Never 0, which is an empty slot. */
function fingerprintOf(value: string): number {
  const length = value.length;
  if (length === 0) return 1;
  let print = length;
  for (let sample = 0; sample < SAMPLES; sample++)
    print = (Math.imul(print, 31) + value.charCodeAt(Math.floor((sample * length) / SAMPLES))) | 0;
  print = (Math.imul(print, 31) + value.charCodeAt(length - 1)) | 0;
  return print === 0 ? 1 : print;
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
