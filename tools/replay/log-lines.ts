// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { messageOf, PurserError } from "../../kernel/errors.ts";

export interface LogLine {
  /** Undefined for a line that is too long to be one. */
  readonly text: string | undefined;
  /** From 1. */
  readonly number: number;
}

/** A bag has a few kilobytes; a file that is no log may have no line break at all. */
export const MAX_LINE_LENGTH = 8 * 1024 * 1024;

/**
 * The lines of a file, unpacked when its name ends in `.gz`; empty ones left out. Holds one line at a time.
 *
 * @throws {PurserError} PURSER_REPLAY_LOG when the file cannot be read.
 */
export async function* linesOf(path: string): AsyncGenerator<LogLine> {
  const file = createReadStream(path);
  const stream = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  if (stream !== file) file.on("error", (error) => stream.destroy(error));
  // Text, so that a character is never cut in two.
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

/** A line in pieces, joined once; nothing is kept of one that is too long. */
class LineBuffer {
  #pieces: string[] = [];
  #length = 0;

  add(piece: string): void {
    this.#length += piece.length;
    if (this.#length > MAX_LINE_LENGTH) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  /** The line, and begins the next; undefined when it was too long. */
  take(): string | undefined {
    const text = this.#length > MAX_LINE_LENGTH ? undefined : this.#pieces.join("");
    this.#pieces = [];
    this.#length = 0;
    return text;
  }
}
