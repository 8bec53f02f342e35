// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** How often a terminal is told how far it is. */
const INTERVAL_MS = 250;

export interface Progress {
  /** Called for each record. */
  step(done: number): void;
  /** Wipes what was shown. */
  end(): void;
}

/** One line on a terminal that is written over and over; nothing elsewhere. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  let shownAtMs = performance.now();
  let shown = false;
  return {
    step(done) {
      if (!stream.isTTY) return;
      const nowMs = performance.now();
      if (nowMs - shownAtMs < INTERVAL_MS) return;
      shownAtMs = nowMs;
      shown = true;
      stream.write(`\r${done.toLocaleString("en-US")} requests replayed`);
    },
    end() {
      if (shown) stream.write("\r\u001b[K");
    },
  };
}
