// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { separatorOf } from "../../../kernel/canonical/header-values.ts";
import { headerTextOf, isAsciiText } from "../../../kernel/canonical/header-text.ts";
import { isSingleHeader } from "../../../core/attributes/header-fields.ts";
import type { EditableHeaders } from "../../../core/verdict/header-operations.ts";
import { UnsendableHead } from "./unsendable-head.ts";

/**
 * The fields of a parsed message, as views of its text. Equal heads may share a block: only lists of fields
 * that were copied from it are changed.
 */
export interface FieldBlock {
  /** One character per byte. */
  readonly text: string;
  /** name, value, name, value …: names in lower case; a value is undefined until something reads it. */
  readonly flat: (string | undefined)[];
  /** For each field, the offsets of its line and of the line's end (after CRLF) in `text`. */
  readonly spans: number[];
  /** Facts about the fields, which `HeaderList` keeps here so that equal heads share them. */
  nameFlags?: number;
  /** The fields that `removeAlike` leaves. */
  kept?: Pick<FieldBlock, "flat" | "spans">;
  /** Names of the fields that arrived as never-indexed literals of HTTP/2; undefined when there is none. */
  readonly neverIndexed?: ReadonlySet<string> | undefined;
  isAscii?: boolean;
}

/** In `spans`: the name or the line is not in the text. */
const OWN = -1;
/** In `spans`, for a line that is not in the text: its name and value are plain, and are not tested again. */
const PLAIN = -2;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A value that can be written: one byte per character, and no control character other than a tab. */
const SENDABLE_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Names that were found to be tokens: most lists add the same few names. */
const tokens = new Set<string>();
const MAX_TOKENS = 1000;

/**
 * The header fields of one message in order, with repeated fields kept apart, so that they are forwarded as
 * they arrived except for the changes of filters. Lookups take lower-case names; the original case is kept
 * for protocols that have one. A list of parsed fields reads values when they are asked for, and writes each
 * run of unchanged fields as one slice of the text that they arrived in.
 */
export class HeaderList implements EditableHeaders {
  readonly #text: string;
  #flat: (string | undefined)[];
  #spans: number[];
  /** The block that the fields came from, whatever was changed since. */
  readonly #block: FieldBlock | undefined;
  /** Whether `#flat` and `#spans` belong to a block, so that they are copied before a change. */
  #shared: boolean;

  /** Takes ownership of `flat`, whose names must be in lower case. */
  constructor(flat: string[] = [], block?: FieldBlock) {
    this.#block = block;
    if (block === undefined) {
      this.#text = "";
      this.#flat = flat;
      this.#spans = [];
      this.#shared = false;
      for (let index = 0; index < flat.length; index++) this.#spans.push(OWN);
    } else {
      this.#text = block.text;
      this.#flat = block.flat;
      this.#spans = block.spans;
      this.#shared = true;
    }
  }

  /** The fields of a parsed message. */
  static of(block: FieldBlock): HeaderList {
    return new HeaderList(undefined, block);
  }

  /** From raw fields: name, value, name, value … in one array. */
  static fromRaw(raw: readonly string[]): HeaderList {
    const flat: string[] = [];
    const spans: number[] = [];
    let text = "";
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index] as string;
      flat.push(name.toLowerCase(), raw[index + 1] as string);
      spans.push(text.length, OWN);
      text += name;
    }
    return HeaderList.of({ text, flat, spans });
  }

  /** Number of fields. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /**
   * Names of the fields that a sender wants in no table of HTTP/2, here or at a further hop (RFC 7541, section 6.2.3); undefined
   * when there is none.
   */
  get neverIndexed(): ReadonlySet<string> | undefined {
    return this.#block?.neverIndexed;
  }

  /** The field's value; repeated fields are joined as RFC 9110, section 5.3 says. */
  get(name: string): string | undefined {
    const flat = this.#flat;
    let joined: string | undefined;
    for (let index = 0; index < flat.length; index += 2) {
      if (flat[index] !== name) continue;
      const value = this.#valueAt(index);
      joined = joined === undefined ? value : joined + separatorOf(name) + value;
    }
    return joined;
  }

  /** The value of each field of this name, in order. */
  values(name: string): readonly string[] {
    const values: string[] = [];
    for (let index = 0; index < this.#flat.length; index += 2)
      if (this.#flat[index] === name) values.push(headerTextOf(this.#valueAt(index)));
    return values;
  }

  /** Number of fields of this name. */
  count(name: string): number {
    const flat = this.#flat;
    let count = 0;
    for (let index = 0; index < flat.length; index += 2) if (flat[index] === name) count++;
    return count;
  }

  has(name: string): boolean {
    return this.#indexOf(name) >= 0;
  }

  /** Appends a field. A single-valued field such as content-type is replaced instead. */
  append(name: string, value: string): void {
    if (isSingleHeader(name) && this.has(name)) this.set(name, value);
    else this.#push(name, value);
  }

  /**
   * Replaces all fields of this name by one, at the first one's place. A single field that has the value
   * already is left as it is.
   */
  set(name: string, value: string): void {
    const first = this.#indexOf(name);
    if (first < 0) {
      this.#push(name, value);
      return;
    }
    if (this.#valueAt(first) !== value) {
      this.#own();
      this.#flat[first + 1] = value;
      this.#spans[first + 1] = OWN;
    }
    this.#removeName(first + 2, name);
  }

  /** As `append`, for a field that is plain, as for `setPlain`, and that the list does not have or that may repeat. */
  appendPlain(name: string, value: string): void {
    this.#own();
    this.#flat.push(name, value);
    this.#spans.push(OWN, PLAIN);
  }

  /**
   * As `set`, for a field whose name is a token and whose value is printable ASCII by the way it was made, such as an id
   * or an address of the proxy's own making: never a part of a message. Testing it again takes as long as setting it.
   */
  setPlain(name: string, value: string): void {
    this.set(name, value);
    this.#markPlain(name, value);
  }

  remove(name: string): void {
    this.#removeName(0, name);
  }

  /** The first name that matches. */
  findName(matches: (name: string) => boolean): string | undefined {
    const flat = this.#flat;
    for (let index = 0; index < flat.length; index += 2)
      if (matches(flat[index] as string)) return flat[index];
    return undefined;
  }

  /**
   * A number about the names, as `flagsOfNames` computes it: once for all equal heads, while the list is unchanged.
   *
   * @param flagsOfNames Must be the same function in every call of the process.
   */
  nameFlags(flagsOfNames: (headers: HeaderList) => number): number {
    const block = this.#block;
    if (block === undefined || this.#flat !== block.flat) return flagsOfNames(this);
    return (block.nameFlags ??= flagsOfNames(this));
  }

  /** Whether all values are ASCII, so that they are the same as bytes and as text. */
  isAscii(): boolean {
    const block = this.#block;
    if (block !== undefined && !(block.isAscii ??= isAsciiText(block.text))) return false;
    const flat = this.#flat;
    for (let index = 0; index < flat.length; index += 2) {
      if (this.#spans[index + 1] !== OWN) continue;
      if (!isAsciiText(flat[index + 1] as string)) return false;
    }
    return true;
  }

  removeWhere(matches: (name: string) => boolean): void {
    const length = this.#flat.length;
    for (let index = 0; index < length; index += 2) {
      if (!matches(this.#flat[index] as string)) continue;
      this.#own();
      let kept = index;
      for (let from = index + 2; from < length; from += 2)
        if (!matches(this.#flat[from] as string)) kept = this.#move(from, kept);
      this.#truncate(kept);
      return;
    }
  }

  /**
   * As `removeWhere`, once for all equal heads while the list is unchanged.
   *
   * @param matches Must be the same function in every call of the process.
   */
  removeAlike(matches: (name: string) => boolean): void {
    const block = this.#block;
    if (block === undefined || this.#flat !== block.flat) return this.removeWhere(matches);
    if (block.kept === undefined) {
      this.removeWhere(matches);
      block.kept = { flat: this.#flat, spans: this.#spans };
    }
    this.#flat = block.kept.flat;
    this.#spans = block.kept.spans;
    this.#shared = true;
  }

  /** The fields with names in lower case. Must not be changed. */
  flat(): readonly string[] {
    const flat = this.#flat;
    for (let index = 0; index < flat.length; index += 2)
      if (flat[index + 1] === undefined) this.#valueAt(index);
    return flat as string[];
  }

  /** The fields with names in their original case. */
  wire(): readonly string[] {
    const wire: string[] = [];
    for (let index = 0; index < this.#flat.length; index += 2)
      wire.push(this.#wireName(index), this.#valueAt(index));
    return wire;
  }

  /**
   * The fields as lines of HTTP/1.1, each with its line end, one character per byte.
   *
   * @throws UnsendableHead when a name or value cannot be sent.
   */
  wireText(): string {
    const flat = this.#flat;
    const spans = this.#spans;
    let text = "";
    let runStart = 0;
    let runEnd = 0;
    for (let index = 0; index < flat.length; index += 2) {
      const start = spans[index] as number;
      const end = spans[index + 1] as number;
      if (end < 0) {
        if (runEnd > runStart) text += this.#text.slice(runStart, runEnd);
        runStart = runEnd = 0;
        text += this.#ownLine(index);
      } else {
        if (start !== runEnd) {
          if (runEnd > runStart) text += this.#text.slice(runStart, runEnd);
          runStart = start;
        }
        runEnd = end;
      }
    }
    return runEnd > runStart ? text + this.#text.slice(runStart, runEnd) : text;
  }

  /**
   * The fields with names in lower case, for protocols without lines. Must not be changed.
   *
   * @throws UnsendableHead when a name or value cannot be sent.
   */
  sendable(): readonly string[] {
    const flat = this.flat();
    for (let index = 0; index < flat.length; index += 2)
      if (this.#spans[index + 1] === OWN) checkSendable(flat[index] as string, flat[index + 1] as string);
    return flat;
  }

  /** Size on the wire, with line ends, in bytes. */
  byteLength(): number {
    const flat = this.#flat;
    const spans = this.#spans;
    let bytes = 0;
    for (let index = 0; index < flat.length; index += 2) {
      const end = spans[index + 1] as number;
      if (end >= 0) bytes += end - (spans[index] as number);
      else bytes += (flat[index] as string).length + (flat[index + 1] as string).length + 4;
    }
    return bytes;
  }

  /** The value of the field at an index of `#flat`. */
  #valueAt(index: number): string {
    return this.#flat[index + 1] ?? readValue(this.#text, this.#flat, this.#spans, index);
  }

  #wireName(index: number): string {
    const name = this.#flat[index] as string;
    const start = this.#spans[index] as number;
    return start < 0 ? name : this.#text.slice(start, start + name.length);
  }

  #ownLine(index: number): string {
    const name = this.#wireName(index);
    const value = this.#flat[index + 1] as string;
    if (this.#spans[index + 1] === PLAIN) return `${name}: ${value}\r\n`;
    // Tested before they are joined: a regular expression would copy the joined text.
    checkSendable(name, value);
    return `${name}: ${value}\r\n`;
  }

  #indexOf(name: string): number {
    const flat = this.#flat;
    for (let index = 0; index < flat.length; index += 2) if (flat[index] === name) return index;
    return -1;
  }

  #push(name: string, value: string): void {
    this.#own();
    this.#flat.push(name, value);
    this.#spans.push(OWN, OWN);
  }

  #markPlain(name: string, value: string): void {
    const flat = this.#flat;
    for (let index = flat.length - 2; index >= 0; index -= 2) {
      if (flat[index] !== name || flat[index + 1] !== value) continue;
      // A line of the message that has the value already stays as it came.
      if (this.#spans[index + 1] === OWN) this.#spans[index + 1] = PLAIN;
      return;
    }
  }

  #removeName(start: number, name: string): void {
    const length = this.#flat.length;
    for (let index = start; index < length; index += 2) {
      if (this.#flat[index] !== name) continue;
      this.#own();
      let kept = index;
      for (let from = index + 2; from < length; from += 2)
        if (this.#flat[from] !== name) kept = this.#move(from, kept);
      this.#truncate(kept);
      return;
    }
  }

  #own(): void {
    if (!this.#shared) return;
    this.#flat = this.#flat.slice();
    this.#spans = this.#spans.slice();
    this.#shared = false;
  }

  /** @returns The index after the moved field. */
  #move(from: number, to: number): number {
    this.#flat[to] = this.#flat[from];
    this.#flat[to + 1] = this.#flat[from + 1];
    this.#spans[to] = this.#spans[from] as number;
    this.#spans[to + 1] = this.#spans[from + 1] as number;
    return to + 2;
  }

  #truncate(length: number): void {
    this.#flat.length = length;
    this.#spans.length = length;
  }
}

function checkSendable(name: string, value: string): void {
  if (isToken(name) && SENDABLE_VALUE.test(value)) return;
  throw new UnsendableHead(`The header ${JSON.stringify(name)} has a character that cannot be sent`);
}

function isToken(name: string): boolean {
  if (tokens.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (tokens.size < MAX_TOKENS) tokens.add(name);
  return true;
}

/** The value of the field whose name is at an index of the block's `flat`. */
export function valueOf(block: FieldBlock, index: number): string {
  return block.flat[index + 1] ?? readValue(block.text, block.flat, block.spans, index);
}

/** Cuts a value out of the text, without the whitespace around it, and keeps it. */
function readValue(text: string, flat: (string | undefined)[], spans: number[], index: number): string {
  let start = (spans[index] as number) + (flat[index] as string).length + 1;
  let end = (spans[index + 1] as number) - 2;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  const value = text.slice(start, end);
  flat[index + 1] = value;
  return value;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
