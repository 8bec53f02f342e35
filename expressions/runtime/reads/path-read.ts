// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "./reference.ts";

/** The reference to record when a path is read, allocated once. */
export interface Note {
  readonly key: string;
  readonly reference: AttributeReference;
}

type Notes = Readonly<Record<"EXACT" | "ABSENCE", Note>>;

/** A path of names that compiled code reads: one object per path and engine. */
export class PathRead {
  readonly names: readonly string[];
  /** Index in `Reads.slots` of the path; its value is at the next index. Several paths may share a slot. */
  readonly slot: number;
  readonly #notes: readonly Notes[];

  constructor(names: readonly string[], slot: number) {
    this.names = names;
    this.slot = slot;
    this.#notes = names.map((_, index) => {
      const path = names.slice(0, index + 1);
      const key = JSON.stringify(path);
      return {
        EXACT: { key, reference: { path, condition: "EXACT" } },
        ABSENCE: { key, reference: { path, condition: "ABSENCE" } },
      };
    });
  }

  /** The reference to record when reading ends at the name with this index. */
  noteAt(index: number, condition: "EXACT" | "ABSENCE"): Note {
    return (this.#notes[index] as Notes)[condition];
  }
}

/**
 * Slots of a request. Paths beyond this number share slots, and are read again when they alternate. Few slots
 * keep a request's allocation small, and its array below the size at which V8 makes it a dictionary.
 */
const SLOTS = 256;

/** Largest size of the table. A full table, as after many changes of the documents, starts anew. */
const MOST_PATHS = 10_000;

/**
 * The paths that the code of one engine reads. The table holds no values: a request's values are in its
 * `Reads`.
 */
export class PathTable {
  readonly #paths = new Map<string, PathRead>();

  /** The PathRead of `names`, the same object for each call. */
  of(names: readonly string[]): PathRead {
    const key = JSON.stringify(names);
    let path = this.#paths.get(key);
    if (path === undefined) {
      if (this.#paths.size >= MOST_PATHS) this.#paths.clear();
      path = new PathRead(names, 2 * (this.#paths.size % SLOTS));
      this.#paths.set(key, path);
    }
    return path;
  }
}
