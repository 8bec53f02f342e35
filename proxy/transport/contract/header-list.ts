// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { separatorOf } from "../../../kernel/canonical/header-values.ts";
import { headerTextOf } from "../../../kernel/canonical/header-text.ts";
import { isSingleHeader } from "../../../core/attributes/header-fields.ts";
import type { EditableHeaders } from "../../../core/verdict/header-operations.ts";

/**
 * The header fields of one message in order, with repeated fields kept apart, so that they are forwarded as
 * they arrived except for the changes of filters. Lookups take lower-case names; the original case is kept
 * for protocols that have one. One flat array (name, value, name, value …) is the cheapest form, and the form
 * that node:http and undici take.
 */
export class HeaderList implements EditableHeaders {
  readonly #flat: string[];
  /** The names in their original case, one per field; undefined when all are in lower case. */
  readonly #cased: string[] | undefined;

  /** Takes ownership of `flat`, whose names must be in lower case. */
  constructor(flat: string[] = [], cased?: string[]) {
    this.#flat = flat;
    this.#cased = cased;
  }

  /** From raw fields: name, value, name, value … in one array. */
  static fromRaw(raw: readonly string[]): HeaderList {
    return takingNames(raw.slice());
  }

  /** From raw bytes; values are Latin-1, as in HTTP/1.1. */
  static fromBytes(raw: readonly (Buffer | string)[]): HeaderList {
    return takingNames(raw.map((part) => (typeof part === "string" ? part : part.toString("latin1"))));
  }

  /** Number of fields. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** The field's value; repeated fields are joined as RFC 9110, section 5.3 says. */
  get(name: string): string | undefined {
    let joined: string | undefined;
    for (let index = 0; index < this.#flat.length; index += 2) {
      if (this.#flat[index] !== name) continue;
      const value = this.#flat[index + 1] as string;
      joined = joined === undefined ? value : joined + separatorOf(name) + value;
    }
    return joined;
  }

  /** The value of each field of this name, in order. */
  values(name: string): readonly string[] {
    const values: string[] = [];
    for (let index = 0; index < this.#flat.length; index += 2)
      if (this.#flat[index] === name) values.push(headerTextOf(this.#flat[index + 1] as string));
    return values;
  }

  /** Number of fields of this name. */
  count(name: string): number {
    let count = 0;
    for (let index = 0; index < this.#flat.length; index += 2) if (this.#flat[index] === name) count++;
    return count;
  }

  has(name: string): boolean {
    return this.count(name) > 0;
  }

  /** Appends a field. A single-valued field such as content-type is replaced instead. */
  append(name: string, value: string): void {
    if (isSingleHeader(name) && this.has(name)) this.set(name, value);
    else this.#push(name, value);
  }

  /** Replaces all fields of this name by one, at the first one's place. */
  set(name: string, value: string): void {
    const first = this.#indexOf(name);
    if (first < 0) {
      this.#push(name, value);
      return;
    }
    this.#flat[first + 1] = value;
    this.#removeFrom(first + 2, (candidate) => candidate === name);
  }

  remove(name: string): void {
    const first = this.#indexOf(name);
    if (first >= 0) this.#removeFrom(first, (candidate) => candidate === name);
  }

  /** The first name that matches. */
  findName(matches: (name: string) => boolean): string | undefined {
    return this.#flat.find((part, index) => index % 2 === 0 && matches(part));
  }

  removeWhere(matches: (name: string) => boolean): void {
    this.#removeFrom(0, matches);
  }

  /** The fields with names in lower case. Must not be changed. */
  flat(): readonly string[] {
    return this.#flat;
  }

  /** The fields with names in their original case, for HTTP/1.1. Must not be changed. */
  wire(): readonly string[] {
    if (this.#cased === undefined) return this.#flat;
    const wire = this.#flat.slice();
    for (let at = 0; at < this.#cased.length; at++) wire[2 * at] = this.#cased[at] as string;
    return wire;
  }

  /** The fields as lines of HTTP/1.1, each with its line end, one character per byte. */
  wireText(): string {
    const wire = this.wire();
    let text = "";
    for (let index = 0; index < wire.length; index += 2) text += `${wire[index]}: ${wire[index + 1]}\r\n`;
    return text;
  }

  /** Size on the wire, with `: ` and line ends, in bytes. */
  byteLength(): number {
    let bytes = 0;
    for (const part of this.#flat) bytes += part.length + 2;
    return bytes;
  }

  #push(name: string, value: string): void {
    this.#flat.push(name, value);
    this.#cased?.push(name);
  }

  #indexOf(name: string): number {
    for (let index = 0; index < this.#flat.length; index += 2) if (this.#flat[index] === name) return index;
    return -1;
  }

  #removeFrom(start: number, matches: (name: string) => boolean): void {
    let kept = start;
    for (let index = start; index < this.#flat.length; index += 2) {
      const name = this.#flat[index] as string;
      if (matches(name)) continue;
      this.#flat[kept] = name;
      this.#flat[kept + 1] = this.#flat[index + 1] as string;
      if (this.#cased !== undefined) this.#cased[kept / 2] = this.#cased[index / 2] as string;
      kept += 2;
    }
    this.#flat.length = kept;
    if (this.#cased !== undefined) this.#cased.length = kept / 2;
  }
}

/** Converts the names of `flat` to lower case in place; keeps the original names if that changes any. */
function takingNames(flat: string[]): HeaderList {
  let cased: string[] | undefined;
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] as string;
    const lower = name.toLowerCase();
    if (cased === undefined && lower !== name) cased = flat.filter((_, at) => at < index && at % 2 === 0);
    cased?.push(name);
    flat[index] = lower;
  }
  return new HeaderList(flat, cased);
}
