// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../../kernel/errors.ts";
import { mayReadLater } from "./read-failure.ts";
import { readRecord, SEGMENT_MAGIC } from "./records.ts";
import type { Segment } from "./segment.ts";
import type { SpoolFiles } from "./spool-files.ts";

export interface SegmentRecord {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Items that cannot be read. */
export interface LostRun {
  readonly first: number;
  readonly count: number;
  readonly reason: string;
}

/** Reads the records of segments, one part of a file after the other. */
export class SegmentReader {
  readonly #files: SpoolFiles;
  /** Where the last read ended: the next one mostly goes on there. */
  #place = { segment: "", sequence: -1, offset: 0 };

  constructor(files: SpoolFiles) {
    this.#files = files;
  }

  /**
   * Reads unsettled records from a sequence number on, about `maxBytes` of the file, at least one record.
   *
   * @returns The records, the number of the first record after them, and the records that cannot be read. No records, and `from`,
   * when the file may be read later.
   */
  async read(
    segment: Segment,
    from: number,
    maxBytes: number,
  ): Promise<{
    readonly records: readonly SegmentRecord[];
    readonly next: number;
    readonly lost: readonly LostRun[];
  }> {
    const records: SegmentRecord[] = [];
    const lost: LostRun[] = [];
    // The file may grow meanwhile; records after this end belong to the next read.
    const { end } = segment;
    const goesOn = this.#place.segment === segment.name && this.#place.sequence <= from;
    let { sequence, offset } = goesOn
      ? this.#place
      : { sequence: segment.first, offset: SEGMENT_MAGIC.length };
    let length = maxBytes;
    const loseRest = (reason: string): void => {
      lost.push({ first: sequence, count: end - sequence, reason });
      sequence = end;
    };
    while (sequence < end && records.length === 0) {
      let bytes: Uint8Array;
      try {
        bytes = await this.#files.read(segment.name, offset, length);
      } catch (error) {
        if (mayReadLater(error)) return { records, next: from, lost: [] };
        loseRest(messageOf(error));
        break;
      }
      const before = sequence;
      let record = readRecord(bytes, 0, this.#checksum);
      while (sequence < end && (record.kind === "record" || record.kind === "damaged")) {
        if (sequence >= from && !segment.isSettled(sequence)) {
          if (record.kind === "record") records.push({ sequence, payload: record.payload });
          else lost.push({ first: sequence, count: 1, reason: "a record is damaged" });
        }
        sequence++;
        const at = record.end;
        record = readRecord(bytes, at, this.#checksum);
        this.#place = { segment: segment.name, sequence, offset: offset + at };
      }
      offset = this.#place.segment === segment.name ? Math.max(offset, this.#place.offset) : offset;
      if (sequence >= end) break;
      if (record.kind === "lost") loseRest("a record's length is damaged");
      else if (record.kind === "short" && bytes.length < length) loseRest("the file is cut off");
      else if (record.kind === "short" && sequence === before) length = Math.max(length, record.needed);
    }
    return { records, next: sequence, lost };
  }

  readonly #checksum = (bytes: Uint8Array): number => this.#files.checksum(bytes);
}
