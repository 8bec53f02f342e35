// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Receiver, requireFetched, startReceiver } from "./receivers.ts";
import { requireService } from "./services.ts";

/** Zipkin's own server, which keeps spans in its memory. */
export interface ZipkinServer extends Receiver {
  /** The spans of a trace; empty when there is none. */
  trace(id: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** The server takes 6 s on a free core. */
const START_DEADLINE_MS = 35_000;
const QUERY_DEADLINE_MS = 5_000;

/** Call from a `before` hook with mocha's `this`: skips the suite when Java or the server is not there. */
export async function startZipkinServer(context: Mocha.Context): Promise<ZipkinServer> {
  const program = requireService(context, "java");
  const jar = requireFetched(context, "zipkin", "zipkin-server-3.5.1-exec.jar");
  const receiver = await startReceiver({
    name: "zipkin",
    program,
    // A small heap, and no optimizing compiler: the server lives for seconds.
    args: (port) => [
      "-Xmx96m",
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-jar",
      jar,
      "--armeria.ports[0].ip=127.0.0.1",
      `--armeria.ports[0].port=${port}`,
      "--armeria.ports[0].protocols[0]=http",
    ],
    env: () => ({ UI_ENABLED: "false", COLLECTOR_SAMPLE_RATE: "1.0", STORAGE_TYPE: "mem" }),
    readyPath: "/health",
    startDeadlineMs: START_DEADLINE_MS,
  });
  return {
    ...receiver,
    async trace(id) {
      const response = await fetch(`${receiver.url}/api/v2/trace/${id}`, {
        signal: AbortSignal.timeout(QUERY_DEADLINE_MS),
      });
      const text = await response.text();
      if (response.status === 404) return [];
      if (!response.ok) throw new Error(`Zipkin answered ${response.status}: ${text}`);
      return JSON.parse(text) as Readonly<Record<string, unknown>>[];
    },
  };
}
