// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

/** Ids of entries that are kept for their repetition; beyond it, the oldest are forgotten. */
const MAX_KEPT = 10_000;

/**
 * The ids by which Cloud Logging recognizes a repeated entry. The host may repeat an entry in another batch and as another object (a
 * copy for a thread, or read from a spool), so the ids of a failed request are found again by the entries' content. Of several equal
 * entries each has an id of its own; which of them takes which kept id makes no difference.
 */
export class InsertIds {
  readonly #prefix: string;
  /** Ids by hash of the content, oldest first. */
  readonly #kept = new Map<string, string[]>();
  #size = 0;
  #made = 0;

  /** @param prefix No other process or handler may have the same. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Number of kept ids. */
  get size(): number {
    return this.#size;
  }

  /** The id that was kept for an entry of this content, or a new one. New ids grow, which is the order of equal times. */
  take(content: string): string {
    if (this.#size > 0) {
      const hash = hashOf(content);
      const ids = this.#kept.get(hash);
      const id = ids?.shift();
      if (ids?.length === 0) this.#kept.delete(hash);
      if (id !== undefined) {
        this.#size--;
        return id;
      }
    }
    return `${this.#prefix}-${(this.#made++).toString(36).padStart(10, "0")}`;
  }

  /** Keeps the id of an entry that may have been written, for its repetition. */
  keep(content: string, id: string): void {
    const hash = hashOf(content);
    const ids = this.#kept.get(hash);
    if (ids === undefined) this.#kept.set(hash, [id]);
    else ids.push(id);
    this.#size++;
    for (const [oldest, forgotten] of this.#kept) {
      if (this.#size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
      this.#size -= forgotten.length;
    }
  }
}

function hashOf(content: string): string {
  return createHash("sha256").update(content).digest("base64");
}
