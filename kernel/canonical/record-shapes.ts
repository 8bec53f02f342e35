// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ownText } from "../fast-strings.ts";

/** A record of texts by name. Its prototype is null or an empty object with the prototype null. */
export type TextRecord = Record<string, string>;

/** A sequence of distinct names, with a constructor of records that have these names in this order. */
interface RecordShape {
  /** name, value, name, value …; only the names count. */
  readonly names: readonly string[];
  readonly Made: new (flat: readonly string[]) => TextRecord;
}

/** Shapes of as many fields, the last used first, and the sequence that may become the next. */
interface Shelf {
  readonly shapes: RecordShape[];
  candidate: readonly string[];
  /** Number of times that the candidate has come. */
  seen: number;
}

/** A constructor is made for a sequence of names that comes this often: making it takes 30 µs. */
const LEARN_AFTER = 16;
/** Bounds of what clients can fill, with any names in any order. */
const MAX_SHAPES_PER_LENGTH = 4;
const MAX_FIELDS = 40;

const NONE: readonly string[] = [];

/**
 * Makes records by constructors that are compiled for the sequences of names that come again and again, as
 * those of a client's requests do. V8 gives such records a fixed shape: 12 fields take 25 ns and 120 bytes,
 * where a dictionary that is filled name by name takes 500 ns and 1 KB. Where the host forbids to make code
 * of text, no shape is ever learned.
 */
export class RecordShapes {
  readonly #shelves: (Shelf | undefined)[] = [];
  #mayCompile = true;

  /**
   * @param flat name, value, name, value ….
   * @returns Undefined when no shape is known for the names; the caller then makes the record itself.
   */
  recordOf(flat: readonly string[]): TextRecord | undefined {
    const shelf = this.#shelves[flat.length];
    if (shelf === undefined) return this.#miss(flat);
    const { shapes } = shelf;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index] as RecordShape;
      if (!haveSameNames(shape.names, flat)) continue;
      if (index > 0) {
        shapes[index] = shapes[index - 1] as RecordShape;
        shapes[index - 1] = shape;
      }
      return new shape.Made(flat);
    }
    return this.#miss(flat);
  }

  #miss(flat: readonly string[]): undefined {
    if (!this.#mayCompile || flat.length === 0 || flat.length > 2 * MAX_FIELDS) return;
    const shelf = (this.#shelves[flat.length] ??= { shapes: [], candidate: NONE, seen: 0 });
    if (!haveSameNames(shelf.candidate, flat)) {
      shelf.candidate = namesOf(flat);
      shelf.seen = 0;
      return;
    }
    shelf.seen++;
    if (shelf.seen < LEARN_AFTER) return;
    const Made = constructorOf(shelf.candidate);
    if (Made === undefined) this.#mayCompile = false;
    else {
      if (shelf.shapes.length === MAX_SHAPES_PER_LENGTH) shelf.shapes.pop();
      shelf.shapes.unshift({ names: shelf.candidate, Made });
    }
    shelf.candidate = NONE;
    shelf.seen = 0;
  }
}

function haveSameNames(names: readonly string[], flat: readonly string[]): boolean {
  if (names.length !== flat.length) return false;
  for (let index = 0; index < flat.length; index += 2) if (names[index] !== flat[index]) return false;
  return true;
}

/** A copy without the values, which must not be kept: they may be secrets. */
function namesOf(flat: readonly string[]): readonly string[] {
  const names = flat.map((part, index) => (index % 2 === 0 ? ownText(part) : ""));
  // A record has one value per name: a sequence with a repeated name is never learned.
  return new Set(names.filter((_, index) => index % 2 === 0)).size === names.length / 2 ? names : NONE;
}

/**
 * A constructor of records with these names, which inherit nothing.
 *
 * @param names name, anything, name, anything …: the arrangement of the values that the constructor takes.
 * @returns Undefined where the host forbids to make code of text.
 */
export function constructorOf(names: readonly string[]): RecordShape["Made"] | undefined {
  let text = "";
  for (let index = 0; index < names.length; index += 2)
    text += `this[${JSON.stringify(names[index])}] = flat[${index + 1}];\n`;
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- code generation, of names as JSON alone
    const made = new Function("flat", text) as unknown as RecordShape["Made"];
    // No name is inherited, not even `constructor`.
    made.prototype = Object.create(null);
    return made;
  } catch {
    return undefined;
  }
}
