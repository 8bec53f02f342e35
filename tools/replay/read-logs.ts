// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { type LogRecord, readRecord } from "../../core/replay/record.ts";
import { linesOf } from "./log-lines.ts";

export interface ReadLogsOptions {
  readonly paths: readonly string[];
  /** Only requests that ended in this interval, in milliseconds since the epoch; the end is exclusive. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Whether a malformed line is an error. */
  readonly strict: boolean;
}

export interface Malformed {
  readonly where: string;
  readonly problem: string;
}

/** Number of malformed lines that are shown; all are counted. */
const SHOWN = 5;

/** Merges the records of several logs by time, each log being in order. Holds one record of each file. */
export class LogReader {
  readonly #options: ReadLogsOptions;
  #malformed = 0;
  #outside = 0;
  readonly #shown: Malformed[] = [];

  constructor(options: ReadLogsOptions) {
    this.#options = options;
  }

  get malformed(): { readonly count: number; readonly first: readonly Malformed[] } {
    return { count: this.#malformed, first: this.#shown };
  }

  /** Number of records outside the time interval. */
  get outside(): number {
    return this.#outside;
  }

  /**
   * @throws {PurserError} PURSER_REPLAY_LOG for a file that cannot be read and, when strict, for a malformed
   *   line.
   */
  async *records(): AsyncGenerator<LogRecord> {
    const heads: { record: LogRecord; readonly rest: AsyncGenerator<LogRecord> }[] = [];
    const files = this.#options.paths.map((path) => this.#recordsOf(path));
    try {
      for (const rest of files) {
        const first = await rest.next();
        if (first.done !== true) heads.push({ record: first.value, rest });
      }
      while (heads.length > 0) {
        const earliest = heads.reduce((a, b) => (b.record.timeMs < a.record.timeMs ? b : a));
        yield earliest.record;
        const next = await earliest.rest.next();
        if (next.done === true) heads.splice(heads.indexOf(earliest), 1);
        else earliest.record = next.value;
      }
    } finally {
      for (const rest of files) await rest.return(undefined);
    }
  }

  async *#recordsOf(path: string): AsyncGenerator<LogRecord> {
    const { sinceMs, untilMs } = this.#options;
    for await (const { text, number } of linesOf(path)) {
      const where = `${path}:${number}`;
      const read =
        text === undefined
          ? { ok: false as const, problem: "too long for a line of a decision log" }
          : readRecord(text, where, Date.parse);
      if (!read.ok) this.#note({ where, problem: read.problem });
      else if (read.record.timeMs >= sinceMs && read.record.timeMs < untilMs) yield read.record;
      else this.#outside++;
    }
  }

  #note(malformed: Malformed): void {
    const { where, problem } = malformed;
    if (this.#options.strict) throw new PurserError("PURSER_REPLAY_LOG", `${where}: ${problem}`);
    this.#malformed++;
    if (this.#shown.length < SHOWN) this.#shown.push(malformed);
  }
}
