// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FullLoad, Loader } from "./full-load.ts";
import { percentile } from "./statistics.ts";
import { CONNECTIONS, USER_AGENT, USERS, type Workload } from "./workloads.ts";

/** Concurrent requests of each connection. */
export const STREAMS = 4;

/**
 * A loader by h2load, for HTTP/2. h2load sends the same fields with each request of a run, so that the requests differ
 * by their path (`/1k-1` to `/1k-16`) instead of by their user.
 *
 * @param body The body of a POST, which h2load sends in place of a GET.
 */
export function h2loadLoader(
  scheme: "http" | "https",
  folder: string,
  workload: Workload,
  { body, fields = {} }: { readonly body?: string; readonly fields?: Readonly<Record<string, string>> } = {},
): Loader {
  const { name, path, answerBytes } = workload;
  const uriFile = join(folder, `${name}.uris`);
  const bodyFile = join(folder, `${name}.body`);
  const logFile = join(folder, `${name}.requests`);
  if (body !== undefined) writeFileSync(bodyFile, body, "latin1");
  const headers = { "user-agent": USER_AGENT, accept: "*/*", "x-user": "user-1", ...fields };
  return async (children, { core, port, seconds }) => {
    const uris = Array.from(
      { length: USERS },
      (_, turn) => `${scheme}://127.0.0.1:${port}${path}-${turn + 1}\n`,
    );
    writeFileSync(uriFile, uris.join(""));
    rmSync(logFile, { force: true });
    const output = await children.output(core, [
      "h2load",
      "--threads=1",
      `--clients=${CONNECTIONS}`,
      `--max-concurrent-streams=${STREAMS}`,
      `--duration=${seconds}`,
      `--input-file=${uriFile}`,
      `--log-file=${logFile}`,
      ...(body === undefined ? [] : [`--data=${bodyFile}`]),
      ...Object.entries(headers).map(([field, value]) => `--header=${field}: ${value}`),
    ]);
    return parseH2load(output, readFileSync(logFile, "utf8"), answerBytes);
  };
}

/**
 * Reads h2load's standard output and its log: start, status and time of each request, in microseconds. An answer without its
 * body is an error, too: a gRPC call that failed has the HTTP status 200 and no message.
 *
 * @throws Error with the output when the figures are not there.
 */
export function parseH2load(output: string, log: string, answerBytes: number): FullLoad {
  const figure = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const requestsPerSecond = figure(/^finished in .*?, ([\d.]+) req\/s/m);
  const dataBytes = figure(/^traffic: .*\((\d+)\) data$/m);
  const broken = figure(/ (\d+) errored,/) + figure(/ (\d+) timeout/);
  if (Number.isNaN(requestsPerSecond + dataBytes + broken))
    throw new Error(`h2load printed no figures: ${output.trim()}`);
  const rows = log
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t").map(Number));
  const answered = rows.filter(([, status = -1]) => status >= 200 && status < 400).length;
  const withBody = Math.min(answered, Math.floor(dataBytes / answerBytes));
  const times = Float64Array.from(rows, ([, , us = Number.NaN]) => us).sort();
  return {
    requestsPerSecond,
    requests: rows.length,
    p50Ms: percentile(times, 50) / 1000,
    p99Ms: percentile(times, 99) / 1000,
    maxMs: percentile(times, 100) / 1000,
    errors: Math.max(rows.length - withBody, broken),
  };
}
