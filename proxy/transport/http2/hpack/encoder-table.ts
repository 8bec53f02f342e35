// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EncoderName } from "./encoder-name.ts";
import { ENTRY_OVERHEAD_BYTES, STATIC_ENTRIES } from "./static-table.ts";

/** The dynamic table of an encoder (RFC 7541, section 2.3.2). Entries are known by serial numbers, which count up from 0. */
export class EncoderTable {
  readonly #mask: number;
  readonly #names: (EncoderName | undefined)[] = [];
  readonly #values: string[] = [];
  #added = 0;
  #oldest = 0;
  #bytes = 0;
  #maxBytes: number;

  /** @param maxBytes The size that the table may ever have. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    let slots = 1;
    while (slots * ENTRY_OVERHEAD_BYTES < maxBytes + ENTRY_OVERHEAD_BYTES) slots *= 2;
    this.#mask = slots - 1;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The index of an entry; 0 for an entry that is no longer in the table. */
  indexOf(serial: number): number {
    return serial < this.#oldest ? 0 : STATIC_ENTRIES + this.#added - serial;
  }

  /** The value of an entry that is in the table. */
  valueOf(serial: number): string {
    return this.#values[serial & this.#mask] as string;
  }

  /** Whether an entry fits, beside which a quarter of the table remains: one large value does not push out all others. */
  fits(name: string, value: string): boolean {
    return (name.length + value.length + ENTRY_OVERHEAD_BYTES) * 4 <= this.#maxBytes * 3;
  }

  /** Adds an entry that fits. */
  add(name: EncoderName, text: string): void {
    const value = copyOf(text);
    const bytes = name.name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evict(this.#maxBytes - bytes);
    const serial = this.#added++;
    this.#names[serial & this.#mask] = name;
    this.#values[serial & this.#mask] = value;
    this.#bytes += bytes;
    name.serials.set(value, serial);
    name.newestSerial = serial;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  #evict(mostBytes: number): void {
    while (this.#bytes > mostBytes && this.#oldest < this.#added) {
      const slot = this.#oldest & this.#mask;
      const name = this.#names[slot] as EncoderName;
      const value = this.#values[slot] as string;
      this.#bytes -= name.name.length + value.length + ENTRY_OVERHEAD_BYTES;
      if (name.serials.get(value) === this.#oldest) name.serials.delete(value);
      this.#names[slot] = undefined;
      this.#values[slot] = "";
      this.#oldest++;
    }
  }
}

/** A value may be a slice, which would keep a whole head of HTTP/1.1 alive. */
function copyOf(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
