// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mock } from "node:test";
import { main } from "../../cli/main.ts";

export interface MainResult {
  /** Exit code. */
  readonly code: number;
  /** Texts of standard output and standard error. */
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process and keeps its output. */
export async function runMain(...args: readonly string[]): Promise<MainResult> {
  const written = { out: "", err: "" };
  const taker = (stream: "out" | "err") => (text: string | Uint8Array, done?: unknown) => {
    written[stream] += String(text);
    if (typeof done === "function") done();
    return true;
  };
  const mocks = [
    mock.method(process.stdout, "write", taker("out") as never),
    mock.method(process.stderr, "write", taker("err") as never),
  ];
  try {
    return { code: await main(args), ...written };
  } finally {
    for (const each of mocks) each.mock.restore();
  }
}
