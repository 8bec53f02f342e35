// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Shows the progress of a long run on standard error; silent unless that is a terminal. */
export interface Progress {
  at(what: string): void;
  done(): void;
}

const CLEAR_LINE = "\r\u001b[K";

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { at() {}, done() {} };
  return {
    at: (what) =>
      void stream.write(`${CLEAR_LINE}${what.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`),
    done: () => void stream.write(CLEAR_LINE),
  };
}
