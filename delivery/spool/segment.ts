// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const SUFFIX = ".segment";

/** A file of consecutive items, named by the first one's sequence number. */
export class Segment {
  readonly first: number;
  /** Number of items. */
  count = 0;
  /** Number of items that have not left the spool. */
  unsettled = 0;
  /** Size of the file, in bytes. */
  bytes: number;
  /** One entry for each settled item, by its position in the segment. */
  readonly #settled: true[] = [];

  constructor(first: number, bytes: number) {
    this.first = first;
    this.bytes = bytes;
  }

  get name(): string {
    return `${String(this.first).padStart(16, "0")}${SUFFIX}`;
  }

  /** Sequence number after the last item. */
  get end(): number {
    return this.first + this.count;
  }

  /** Adds items at the end. */
  grow(items: number): void {
    this.count += items;
    this.unsettled += items;
  }

  /** @returns False when the item had left already. */
  settle(sequence: number): boolean {
    const position = sequence - this.first;
    if (position < 0 || position >= this.count || this.#settled[position] === true) return false;
    this.#settled[position] = true;
    this.unsettled--;
    return true;
  }

  isSettled(sequence: number): boolean {
    return this.#settled[sequence - this.first] === true;
  }

  /** Runs of settled items. */
  *settledRuns(): Iterable<readonly [first: number, count: number]> {
    let first: number | undefined;
    for (let position = 0; position <= this.count; position++) {
      if (this.#settled[position] === true) first ??= position;
      else if (first !== undefined) {
        yield [this.first + first, position - first];
        first = undefined;
      }
    }
  }
}

/** The sequence number in a segment's file name; undefined for another file. */
export function firstOfSegment(name: string): number | undefined {
  return /^\d{16}\.segment$/.test(name) ? Number.parseInt(name, 10) : undefined;
}
