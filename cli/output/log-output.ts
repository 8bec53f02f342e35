// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Writable } from "node:stream";

/** Unread bytes beyond which further log lines are dropped and counted. */
export const MAX_UNREAD_LOG_BYTES = 1 << 20;

/**
 * Writes log lines to a stream without ever waiting for its reader: not while the program runs, and not at
 * its exit, where a synchronous flush would hang if the reader has stopped. A failed write, as on a full
 * disk, loses only its line.
 *
 * @param onDropped Called with the number of dropped lines when the reader has caught up.
 * @returns A function that writes one line, which includes its newline.
 */
export function createLogOutput(
  stream: Writable,
  onDropped: (lines: number) => void,
): (line: string) => void {
  let dropped = 0;
  // Without a listener, a closed reader (EPIPE) would end the process.
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
