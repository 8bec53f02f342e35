// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const WIRE = { varint: 0, double: 1, bytes: 2 } as const;

/** Writes the fields of protocol buffers messages (protobuf.dev/programming-guides/encoding) into a buffer that grows. */
export class ProtobufWriter {
  #bytes = new Uint8Array(1_024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of everything written since the last call. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /** An unsigned whole number up to 2^53, without a field's tag. Fractions are cut; negative numbers and NaN become 0. */
  varint(value: number): void {
    let rest = value > 0 && Number.isFinite(value) ? Math.floor(value) : 0;
    this.#reserve(10);
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** int32, int64, uint32, uint64, enum: 0 or more. */
  uint(field: number, value: number): void {
    this.#tag(field, WIRE.varint);
    this.varint(value);
  }

  /** sint32, sint64, in zigzag form. */
  sint(field: number, value: number): void {
    this.#tag(field, WIRE.varint);
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(field: number, value: number): void {
    this.#tag(field, WIRE.double);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  text(field: number, value: string): void {
    this.message(field, () => this.#utf8(value));
  }

  /** @param write Writes the fields of the message. */
  message(field: number, write: () => void): void {
    this.#tag(field, WIRE.bytes);
    this.delimited(write);
  }

  /** A message after its length. */
  delimited(write: () => void): void {
    // Most messages are shorter than 128 bytes, and their length takes one byte; longer ones are moved.
    this.#reserve(1);
    const start = ++this.#length;
    write();
    const length = this.#length - start;
    let more = 0;
    for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) more++;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#length);
    }
    const end = this.#length + more;
    this.#length = start - 1;
    this.varint(length);
    this.#length = end;
  }

  #tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** A lone surrogate becomes U+FFFD. */
  #utf8(text: string): void {
    this.#reserve(text.length * 3);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < text.length; index++) {
      let code = text.charCodeAt(index);
      if (code >= 0xd800 && code <= 0xdfff) {
        code = text.codePointAt(index) ?? 0;
        if (code <= 0xdfff) code = 0xfffd;
        else index++;
      }
      if (code < 0x80) bytes[at++] = code;
      else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
        bytes[at++] = 0x80 | (code & 0x3f);
      } else {
        if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
        else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
      }
    }
    this.#length = at;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
