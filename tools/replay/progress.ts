// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Interval of updates on a terminal. */
const INTERVAL_MS = 250;

export interface Progress {
  /** Called with the number of records done, after each record. */
  step(done: number): void;
  /** Clears the progress line. */
  end(): void;
}

/** A progress line that overwrites itself; silent unless the stream is a terminal. */
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
