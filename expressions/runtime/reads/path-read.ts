// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "./reference.ts";

/** A reference to note when a path is read, made once. */
export interface Note {
  readonly key: string;
  readonly reference: AttributeReference;
}

type Notes = Readonly<Record<"EXACT" | "ABSENCE", Note>>;

/** A path of names that compiled code reads, the same object wherever the code of one engine reads that path. */
export class PathRead {
  readonly names: readonly string[];
  /** Index in `Reads.slots` of the path; its value is at the next index. Several paths may have the same slot. */
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

  /** The reference to note when reading ends at the name with this index. */
  noteAt(index: number, condition: "EXACT" | "ABSENCE"): Note {
    return (this.#notes[index] as Notes)[condition];
  }
}

/**
 * Slots of a request. Paths beyond this many share slots, and are read again when they alternate: a few slots keep what a
 * request allocates small, and its array one that V8 does not turn into a dictionary.
 */
const SLOTS = 256;

/** Most paths that are remembered; beyond, as after many changes of the documents, the table begins anew. */
const MOST_PATHS = 10_000;

/** The paths that the code of one engine reads. It holds no values: a request's values are in its `Reads`. */
export class PathTable {
  readonly #paths = new Map<string, PathRead>();

  /** The one PathRead for `names`. */
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
