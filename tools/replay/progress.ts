// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createProgress } from "../progress.ts";

/** Interval of updates on a terminal. */
const INTERVAL_MS = 250;

export interface Progress {
  /** Called with the number of records done, after each record. */
  step(done: number): void;
  /** Clears the progress line. */
  end(): void;
}

/** Shows how many requests were replayed; silent unless the stream is a terminal. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { step() {}, end() {} };
  const line = createProgress(stream);
  let shownAtMs = performance.now();
  return {
    step(done) {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < INTERVAL_MS) return;
      shownAtMs = nowMs;
      line.at(`${done.toLocaleString("en-US")} requests replayed`);
    },
    end: () => line.done(),
  };
}
