// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Writable } from "node:stream";

/** Beyond this many bytes that nobody has read, further log lines are dropped and counted. */
export const MAX_UNREAD_LOG_BYTES = 1 << 20;

/**
 * Writes log lines to a stream and never waits for its reader: not while the program runs, and not at its exit, where
 * a synchronous flush would never end when the reader has stopped. A write that fails, as on a full disk, loses its
 * line and nothing else.
 *
 * @param onDropped Called with the number of lines that were dropped, when the reader has caught up.
 * @returns What writes one line, its newline included.
 */
export function createLogOutput(
  stream: Writable,
  onDropped: (lines: number) => void,
): (line: string) => void {
  let dropped = 0;
  // Without a listener, a reader that goes away (EPIPE) would end the process.
  stream.on("error", () => {});
  stream.on("drain", () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    onDropped(lines);
  });
  return (line) => {
    if (stream.writableLength > MAX_UNREAD_LOG_BYTES) {
      dropped += 1;
      return;
    }
    try {
      stream.write(line);
    } catch {
      dropped += 1;
    }
  };
}
