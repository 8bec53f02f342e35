// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ENTRY_OVERHEAD_BYTES } from "./static-table.ts";

/** The dynamic table of a decoder (RFC 7541, section 2.3.2): a ring, whose memory is bounded by the maximum size. */
export class DecoderTable {
  readonly #mask: number;
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** Number of entries that were ever added: the newest is the one before. */
  #added = 0;
  #count = 0;
  #bytes = 0;
  #maxBytes: number;

  /** @param maxBytes The size that the table may have at most, and has at the beginning. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    let slots = 1;
    while (slots * ENTRY_OVERHEAD_BYTES < maxBytes + ENTRY_OVERHEAD_BYTES) slots *= 2;
    this.#mask = slots - 1;
  }

  /** Number of entries. */
  get count(): number {
    return this.#count;
  }

  /** @param age 0 for the newest entry; less than `count`. */
  nameAt(age: number): string {
    return this.#names[(this.#added - 1 - age) & this.#mask] as string;
  }

  valueAt(age: number): string {
    return this.#values[(this.#added - 1 - age) & this.#mask] as string;
  }

  /** An entry that is larger than the table empties it (section 4.4). */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evict(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    const slot = this.#added & this.#mask;
    this.#names[slot] = name;
    this.#values[slot] = value;
    // The counter stays a small integer; only its lowest bits matter.
    this.#added = (this.#added + 1) & 0x3fffffff;
    this.#count++;
    this.#bytes += bytes;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  #evict(mostBytes: number): void {
    while (this.#bytes > mostBytes && this.#count > 0) {
      const oldest = (this.#added - this.#count) & this.#mask;
      this.#bytes -=
        (this.#names[oldest] as string).length +
        (this.#values[oldest] as string).length +
        ENTRY_OVERHEAD_BYTES;
      // The strings may be large, and the slot may stay unused for long.
      this.#names[oldest] = "";
      this.#values[oldest] = "";
      this.#count--;
    }
  }
}
