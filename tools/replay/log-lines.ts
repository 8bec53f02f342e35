// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { messageOf, PurserError } from "../../kernel/errors.ts";

export interface LogLine {
  /** undefined for a line that is too long. */
  readonly text: string | undefined;
  /** Line number, from 1. */
  readonly number: number;
}

/** Bound on a line: a bag has a few kilobytes, and a file that is not a log may have no line break at all. */
export const MAX_LINE_LENGTH = 8 * 1024 * 1024;

/**
 * The lines of a file, decompressed when its name ends in `.gz`; empty lines are skipped. Holds one line at a
 * time.
 *
 * @throws {PurserError} PURSER_REPLAY_LOG when the file cannot be read.
 */
export async function* linesOf(path: string): AsyncGenerator<LogLine> {
  const file = createReadStream(path);
  const stream = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  if (stream !== file) file.on("error", (error) => stream.destroy(error));
  // Decode as text, so that no character is split between chunks.
  stream.setEncoding("utf8");
  const line = new LineBuffer();
  let number = 0;
  try {
    for await (const chunk of stream) {
      const parts = (chunk as string).split("\n");
      const last = parts.pop() as string;
      for (const part of parts) {
        line.add(part);
        number++;
        const text = line.take();
        if (text !== "") yield { text, number };
      }
      line.add(last);
    }
  } catch (cause) {
    throw new PurserError("PURSER_REPLAY_LOG", `${path} could not be read: ${messageOf(cause)}`, { cause });
  } finally {
    file.destroy();
  }
  const text = line.take();
  if (text !== "") yield { text, number: number + 1 };
}

/** Collects the pieces of a line; keeps nothing of a line that is too long. */
class LineBuffer {
  #pieces: string[] = [];
  #length = 0;

  add(piece: string): void {
    this.#length += piece.length;
    if (this.#length > MAX_LINE_LENGTH) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  /** Returns the line and begins the next one; undefined when the line was too long. */
  take(): string | undefined {
    const text = this.#length > MAX_LINE_LENGTH ? undefined : this.#pieces.join("");
    this.#pieces = [];
    this.#length = 0;
    return text;
  }
}
