// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Receiver, requireFetched, startReceiver } from "./receivers.ts";

/** A VictoriaLogs process, which takes Loki's pushes below `/insert`. */
export interface VictoriaLogs extends Receiver {
  /** The stored entries that a LogsQL query finds, in no order; values are text. */
  query(text: string): Promise<readonly Readonly<Record<string, string>>[]>;
}

const DEADLINE_MS = 20_000;

/** Call from a `before` hook with mocha's `this`: skips the suite when VictoriaLogs is not there. */
export async function startVictoriaLogs(context: Mocha.Context): Promise<VictoriaLogs> {
  const program = requireFetched(context, "victoria-logs", "victoria-logs");
  const receiver = await startReceiver({
    name: "victoria-logs",
    program,
    args: (port, folder) => [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${folder}/data`,
      "-retentionPeriod=100y",
      "-memory.allowedBytes=64MB",
      "-loggerLevel=WARN",
    ],
    readyPath: "/health",
    startDeadlineMs: DEADLINE_MS,
  });
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`${receiver.url}${path}`, { signal: AbortSignal.timeout(DEADLINE_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`VictoriaLogs answered ${response.status}: ${text}`);
    return text;
  };
  return {
    ...receiver,
    async query(text) {
      await get("/internal/force_flush");
      const lines = await get(`/select/logsql/query?query=${encodeURIComponent(text)}`);
      return lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, string>);
    },
  };
}
