// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import type { SpoolFiles } from "../../delivery/spool/spool-files.ts";

/** A disk in memory that a test fills, breaks and cuts off in the middle of a write. */
export class FakeDisk {
  readonly files = new Map<string, Uint8Array>();
  /** While true, each write puts some of its bytes on the disk and then fails, as a full disk does. */
  full = false;
  readonly #random: () => number;
  /** Increases with each crash: operations of an earlier life never end. */
  #life = 0;
  #holder: number | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Ends every operation under way, each at some point of its work, as `kill -9` does. */
  crash(): void {
    this.#life++;
    this.#holder = undefined;
  }

  /** The folder as one process sees it. */
  connect(): SpoolFiles {
    const life = this.#life;
    // Each step is a turn in which a crash may happen.
    const step = async (): Promise<void> => {
      await Promise.resolve();
      if (life !== this.#life) await new Promise(() => {});
    };
    const write = async (name: string, old: Uint8Array, bytes: Uint8Array): Promise<void> => {
      await step();
      const cut = Math.floor(this.#random() * (bytes.length + 1));
      this.files.set(name, concat(old, bytes.subarray(0, cut)));
      await step();
      if (this.full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      this.files.set(name, concat(old, bytes));
      await step();
    };
    return {
      open: async () => {
        await step();
        if (this.#holder !== undefined) throw new Error("the folder is in use");
        this.#holder = life;
      },
      list: async () => {
        await step();
        return [...this.files.keys()];
      },
      read: async (name, offset, length) => {
        await step();
        const bytes = this.files.get(name);
        if (bytes === undefined) throw new Error(`${name}: no such file`);
        return bytes.slice(offset, offset + length);
      },
      append: (name, bytes) => write(name, this.files.get(name) ?? new Uint8Array(0), bytes),
      replace: async (name, bytes) => {
        await step();
        if (this.full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        this.files.set(name, bytes);
        await step();
      },
      sync: step,
      remove: async (name) => {
        await step();
        this.files.delete(name);
      },
      checksum: (bytes) => crc32(bytes),
      close: async () => {
        await step();
        this.#holder = undefined;
      },
    };
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([first, second]));
}
