// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ByteWriter } from "./byte-writer.ts";
import { EncoderName } from "./encoder-name.ts";
import { EncoderTable } from "./encoder-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman-encoder.ts";
import { internalized } from "./literal-cache.ts";
import { DEFAULT_TABLE_BYTES } from "./static-table.ts";

/** A larger table of the peer's is not used: its memory is needed for each connection. */
const MAX_TABLE_BYTES = DEFAULT_TABLE_BYTES;

/** Names that an encoder knows; a further name is sent as a literal, until the names without entries are forgotten. */
const MAX_NAMES = 256;

/** A longer name is sent as a literal each time: the bytes of the names are bounded, too. */
const MAX_NAME_BYTES = 64;

/** First bits of the representations (RFC 7541, section 6). */
const INDEXED = 0x80;
const LITERAL_INDEXED = 0x40;
const SIZE_UPDATE = 0x20;
const LITERAL_NEVER_INDEXED = 0x10;
const LITERAL = 0x00;

/** Largest size of an integer: a prefix and 5 bytes. */
const MAX_INTEGER_BYTES = 6;

/** Encodes the header blocks of one direction of a connection (RFC 7541), in the order in which they are sent. */
export class HpackEncoder {
  readonly #table = new EncoderTable(MAX_TABLE_BYTES);
  readonly #names = new Map<string, EncoderName>();
  #target: ByteWriter | undefined = undefined;
  /** The smallest and the last size since the last block; undefined when the size is unchanged. */
  #smallestBytes: number | undefined = undefined;
  #nextBytes = MAX_TABLE_BYTES;

  /** @param bytes The peer's SETTINGS_HEADER_TABLE_SIZE. Changes the table with the next block. */
  setMaxTableBytes(bytes: number): void {
    const most = Math.min(bytes, MAX_TABLE_BYTES);
    if (most === this.#nextBytes) return;
    this.#nextBytes = most;
    this.#smallestBytes = Math.min(most, this.#smallestBytes ?? most);
  }

  /** Begins a block, whose bytes are appended to `target` until the next block begins. */
  beginBlock(target: ByteWriter): void {
    this.#target = target;
    if (this.#smallestBytes === undefined) return;
    // Both are told, so that the peer evicts the same entries (section 4.2).
    if (this.#smallestBytes < this.#nextBytes) this.#writeSize(target, this.#smallestBytes);
    this.#writeSize(target, this.#nextBytes);
    this.#smallestBytes = undefined;
  }

  /**
   * Appends a field. Authorization and cookies are never indexed.
   *
   * @param name In lower case, one character per byte, as is the value; `HeaderList.sendable` has tested them.
   * @param isNeverIndexed Whether the field was received so, and must be sent so.
   * @throws RangeError for a character that is no byte.
   */
  encode(name: string, value: string, isNeverIndexed = false): void {
    const target = this.#target as ByteWriter;
    const known = this.#names.get(name) ?? this.#learn(name);
    if (known === undefined) return this.#encodeUnknown(target, name, value, isNeverIndexed);
    if (isNeverIndexed || known.indexing === "never") {
      return this.#writeLiteral(target, LITERAL_NEVER_INDEXED, 0x0f, known, value);
    }
    const index = this.#indexOf(known, value);
    if (index > 0) {
      target.ensure(MAX_INTEGER_BYTES);
      writeInteger(target, INDEXED, 0x7f, index);
    } else if (known.isRepeated(value) && this.#table.fits(name, value)) {
      this.#writeLiteral(target, LITERAL_INDEXED, 0x3f, known, value);
      this.#table.add(known, value);
    } else {
      this.#writeLiteral(target, LITERAL, 0x0f, known, value);
    }
  }

  /** The index of a field; 0 for none. */
  #indexOf(known: EncoderName, value: string): number {
    if (known.lastValue === value) {
      const index = this.#table.indexOf(known.lastSerial);
      if (index > 0) return index;
    }
    const fixed = known.staticValues?.get(value);
    if (fixed !== undefined) return fixed;
    const serial = known.serials.get(value);
    if (serial === undefined) return 0;
    known.lastValue = this.#table.valueOf(serial);
    known.lastSerial = serial;
    return this.#table.indexOf(serial);
  }

  #learn(name: string): EncoderName | undefined {
    if (name.length > MAX_NAME_BYTES) return undefined;
    if (this.#names.size >= MAX_NAMES) this.#forgetNames();
    if (this.#names.size >= MAX_NAMES) return undefined;
    const known = new EncoderName(internalized(name));
    this.#names.set(known.name, known);
    return known;
  }

  /** The table has at most 128 entries, so that half of the names go. */
  #forgetNames(): void {
    for (const [name, known] of this.#names) if (known.serials.size === 0) this.#names.delete(name);
  }

  #writeLiteral(
    target: ByteWriter,
    bits: number,
    prefixMax: number,
    known: EncoderName,
    value: string,
  ): void {
    const index = known.staticIndex || this.#table.indexOf(known.newestSerial);
    target.ensure(MAX_INTEGER_BYTES);
    writeInteger(target, bits, prefixMax, index);
    if (index === 0) writeString(target, known.name);
    writeString(target, value);
  }

  #encodeUnknown(target: ByteWriter, name: string, value: string, isNeverIndexed: boolean): void {
    target.ensure(1);
    target.byte(isNeverIndexed ? LITERAL_NEVER_INDEXED : LITERAL);
    writeString(target, name);
    writeString(target, value);
  }

  #writeSize(target: ByteWriter, bytes: number): void {
    target.ensure(MAX_INTEGER_BYTES);
    writeInteger(target, SIZE_UPDATE, 0x1f, bytes);
    this.#table.resize(bytes);
  }
}

/** Appends a string, in the shorter of its two forms (RFC 7541, section 5.2). */
function writeString(target: ByteWriter, text: string): void {
  const length = text.length;
  const coded = huffmanLength(text);
  target.ensure(MAX_INTEGER_BYTES + Math.min(coded, length));
  if (coded < length) {
    writeInteger(target, 0x80, 0x7f, coded);
    encodeHuffman(text, target);
    return;
  }
  writeInteger(target, 0, 0x7f, length);
  const { bytes } = target;
  let at = target.length;
  for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index);
  target.length = at;
}

/** Appends an integer (RFC 7541, section 5.1), for which there is room. */
function writeInteger(target: ByteWriter, bits: number, prefixMax: number, value: number): void {
  if (value < prefixMax) return target.byte(bits | value);
  target.byte(bits | prefixMax);
  let rest = value - prefixMax;
  for (; rest >= 0x80; rest >>>= 7) target.byte((rest & 0x7f) | 0x80);
  target.byte(rest);
}
