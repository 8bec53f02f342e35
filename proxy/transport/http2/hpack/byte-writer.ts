// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Bytes that are appended to memory that grows. Writers make room for many bytes at once, and write to `bytes` themselves. */
export class ByteWriter {
  /** The first `length` bytes are written. `ensure` may replace the memory; offsets stay the same. */
  bytes: Buffer;
  length = 0;

  constructor(bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)) {
    this.bytes = bytes;
  }

  /** Makes room for `count` further bytes. */
  ensure(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count);
  }

  /** Appends one byte, for which there is room. */
  byte(byte: number): void {
    this.bytes[this.length++] = byte;
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

const INITIAL_BYTES = 4096;
