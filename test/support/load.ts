// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Pool } from "undici";

export interface LoadOptions {
  /** URL of an edge proxy; requests are for the service `shop` unless the headers name another. */
  readonly origin: string;
  readonly path: string;
  /** Total number of requests; absent: requests go on until `until` resolves. */
  readonly requests?: number;
  readonly until?: Promise<unknown>;
  readonly concurrency: number;
  readonly headers?: (index: number) => Readonly<Record<string, string>>;
  readonly method?: "GET" | "POST";
}

export interface LoadResult {
  readonly sent: number;
  /** Number of responses by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Errors of requests without a response. */
  readonly failures: readonly string[];
  /** Latencies of the responses, ascending. */
  readonly latenciesMs: readonly number[];
}

/** Deadline after which a hanging request counts as a failure. */
const REQUEST_DEADLINE_MS = 10_000;
const MAX_REQUESTS = 1_000_000;

/** A bounded closed loop: `concurrency` concurrent requests, without think time. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const {
    origin,
    path,
    requests = MAX_REQUESTS,
    concurrency,
    headers = () => ({}),
    method = "GET",
  } = options;
  const pool = new Pool(origin, {
    connections: concurrency,
    headersTimeout: REQUEST_DEADLINE_MS,
    bodyTimeout: REQUEST_DEADLINE_MS,
  });
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  const latenciesMs: number[] = [];
  let sent = 0;
  let over = false;
  void options.until?.then(() => (over = true));
  const worker = async (): Promise<void> => {
    while (!over && sent < requests) {
      const index = sent++;
      const startMs = performance.now();
      try {
        const { statusCode, body } = await pool.request({
          path,
          method,
          headers: { host: "shop", ...headers(index) },
        });
        await body.dump();
        statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
        latenciesMs.push(performance.now() - startMs);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  await pool.close();
  return { sent, statuses, failures, latenciesMs: latenciesMs.sort((a, b) => a - b) };
}
