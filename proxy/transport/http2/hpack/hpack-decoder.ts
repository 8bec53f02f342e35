// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DecoderTable } from "./decoder-table.ts";
import { decodeLiteral, internalized, LiteralCache } from "./literal-cache.ts";
import { DEFAULT_TABLE_BYTES, STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from "./static-table.ts";

/** Receives the fields of a header block in order. Must not throw. */
export interface FieldSink {
  /**
   * Whether the sink wants no further field of the block, because the fields are too many or too large: a block of 16 KiB can
   * refer to a field of 4 KiB 16,000 times. The table is kept in step.
   */
  readonly isFull: boolean;
  /**
   * @param name One character per byte, as it was sent: it may have any bytes.
   * @param isNeverIndexed Whether every further hop must send the field as a never-indexed literal (RFC 7541, section 6.2.3).
   */
  onField(name: string, value: string, isNeverIndexed: boolean): void;
}

/** Continuation bytes of an integer, and its greatest value; RFC 7541, section 5.1, asks for limits. */
const MAX_INTEGER_BYTES = 5;
const MAX_INTEGER = 2 ** 31 - 1;

const names = new LiteralCache(256, internalized);
const values = new LiteralCache(512, (text) => text);

/** Decodes the header blocks of one direction of a connection (RFC 7541), in the order in which they come. */
export class HpackDecoder {
  readonly #maxTableBytes: number;
  readonly #table: DecoderTable;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #fault: string | undefined = undefined;

  /**
   * @param settings `maxTableBytes` is this side's SETTINGS_HEADER_TABLE_SIZE; 4,096 by default. The peer must know another
   * value before its first block.
   */
  constructor(
    { maxTableBytes }: { readonly maxTableBytes: number } = { maxTableBytes: DEFAULT_TABLE_BYTES },
  ) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DecoderTable(maxTableBytes);
  }

  /**
   * Decodes one whole header block, in time linear in its bytes however large the fields are that it refers to.
   *
   * @returns The fault, a sentence, when the block is malformed: the connection has a COMPRESSION_ERROR, and no further
   * block can be decoded.
   */
  decode(block: Buffer, start: number, end: number, sink: FieldSink): string | undefined {
    this.#block = block;
    this.#at = start;
    this.#end = end;
    this.#fault = undefined;
    let mayResize = true;
    while (this.#at < end && this.#fault === undefined) {
      const first = block[this.#at++] as number;
      if (first >= 0x80) {
        this.#readIndexed(first === 0xff ? this.#readInteger(0x7f) : first & 0x7f, sink);
      } else if (first >= 0x40) {
        this.#readLiteral(first === 0x7f ? this.#readInteger(0x3f) : first & 0x3f, true, false, sink);
      } else if (first >= 0x20) {
        if (!mayResize) this.#fault = "A table size update is not at the block's begin.";
        else this.#resize(first === 0x3f ? this.#readInteger(0x1f) : first & 0x1f);
        continue;
      } else {
        const index = (first & 0x0f) === 0x0f ? this.#readInteger(0x0f) : first & 0x0f;
        this.#readLiteral(index, false, first >= 0x10, sink);
      }
      mayResize = false;
    }
    return this.#fault;
  }

  #readIndexed(index: number, sink: FieldSink): void {
    if (index <= STATIC_ENTRIES) {
      if (index > 0) {
        if (!sink.isFull) sink.onField(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string, false);
      } else {
        this.#fault ??= "The index 0 has no field.";
      }
      return;
    }
    const age = index - STATIC_ENTRIES - 1;
    const table = this.#table;
    if (age >= table.count) this.#fault = "An index is beyond the table.";
    else if (!sink.isFull) sink.onField(table.nameAt(age), table.valueAt(age), false);
  }

  #readLiteral(nameIndex: number, isIndexed: boolean, isNeverIndexed: boolean, sink: FieldSink): void {
    const name = nameIndex === 0 ? this.#readString(names) : this.#nameAt(nameIndex);
    if (name === undefined) return;
    const value = this.#readString(isNeverIndexed ? undefined : values);
    if (value === undefined) return;
    if (isIndexed) this.#table.add(name, value);
    if (!sink.isFull) sink.onField(name, value, isNeverIndexed);
  }

  #nameAt(index: number): string | undefined {
    if (index < 0) return undefined;
    if (index <= STATIC_ENTRIES) return STATIC_NAMES[index];
    const age = index - STATIC_ENTRIES - 1;
    if (age < this.#table.count) return this.#table.nameAt(age);
    this.#fault = "An index is beyond the table.";
    return undefined;
  }

  #readString(cache: LiteralCache | undefined): string | undefined {
    const block = this.#block;
    if (this.#at >= this.#end) return this.#fail("A string is cut off.");
    const first = block[this.#at++] as number;
    const length = (first & 0x7f) === 0x7f ? this.#readInteger(0x7f) : first & 0x7f;
    if (length < 0) return undefined;
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) return this.#fail("A string is cut off.");
    this.#at = end;
    const isHuffman = first >= 0x80;
    const text =
      cache === undefined
        ? decodeLiteral(block, start, end, isHuffman)
        : cache.read(block, start, end, isHuffman);
    return text ?? this.#fail("A string's Huffman code is malformed.");
  }

  #resize(bytes: number): void {
    if (bytes < 0) return;
    if (bytes > this.#maxTableBytes) this.#fault = "A table size update exceeds SETTINGS_HEADER_TABLE_SIZE.";
    else this.#table.resize(bytes);
  }

  /**
   * Reads an integer that does not fit into its prefix (RFC 7541, section 5.1).
   *
   * @returns -1 after a fault.
   */
  #readInteger(prefixMax: number): number {
    let value = prefixMax;
    let factor = 1;
    for (let bytes = 0; bytes < MAX_INTEGER_BYTES; bytes++) {
      if (this.#at >= this.#end) {
        this.#fault = "An integer is cut off.";
        return -1;
      }
      const byte = this.#block[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value <= MAX_INTEGER) return value;
        break;
      }
      factor *= 128;
    }
    this.#fault = "An integer is too large.";
    return -1;
  }

  #fail(fault: string): undefined {
    this.#fault = fault;
    return undefined;
  }
}
