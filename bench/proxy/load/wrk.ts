// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Children } from "../../machine/children.ts";
import type { FullLoad, Loader } from "./full-load.ts";
import { CONNECTIONS, requestHead, USERS, type Workload } from "./workloads.ts";

/** The end of each Lua script: prints wrk's figures as a line of JSON, for `parseWrk`. */
export const PRINT_FIGURES = `function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Stands in a head for the authority, which wrk's command line gives. */
const AUTHORITY = "AUTHORITY";

/** Writes the Lua script that makes wrk send the workload and print its figures as a line of JSON. */
export function writeScript(folder: string, workload: Workload): string {
  const file = join(folder, `${workload.name}.lua`);
  // The escapes of a JSON string of ASCII are Lua's too.
  const heads = Array.from({ length: USERS }, (_, at) =>
    JSON.stringify(requestHead(workload, AUTHORITY, at + 1)),
  );
  writeFileSync(
    file,
    `local heads, requests, turn = {
  ${heads.join(",\n  ")}
}, {}, 0
function init(args)
  for user, head in ipairs(heads) do
    requests[user] = head:gsub("${AUTHORITY}", wrk.host .. ":" .. wrk.port) .. string.rep("x", ${workload.bodyBytes})
  end
end
function request()
  turn = turn % ${USERS} + 1
  return requests[turn]
end
${PRINT_FIGURES}`,
  );
  return file;
}

/** Reads wrk's standard output. Throws an Error with the output when the script's line is not there. */
export function parseWrk(output: string): FullLoad {
  const line = output.split("\n").findLast((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`wrk printed no figures: ${output.trim()}`);
  const figures = JSON.parse(line) as Record<string, number>;
  const of = (name: string): number => figures[name] ?? Number.NaN;
  return {
    requestsPerSecond: of("requests") / (of("duration_us") / 1e6),
    requests: of("requests"),
    p50Ms: of("p50_us") / 1000,
    p99Ms: of("p99_us") / 1000,
    maxMs: of("max_us") / 1000,
    errors: of("errors"),
  };
}

/** Loads the port with as many requests as it answers, on all connections. */
export async function runWrk(
  children: Children,
  options: {
    readonly core: number;
    readonly script: string;
    readonly port: number;
    readonly seconds: number;
    /** Default `http`. wrk accepts any certificate. */
    readonly scheme?: "http" | "https";
  },
): Promise<FullLoad> {
  const { core, script, port, seconds, scheme = "http" } = options;
  const output = await children.output(core, [
    "wrk",
    "--threads=1",
    `--connections=${CONNECTIONS}`,
    `--duration=${seconds}s`,
    "--timeout=10s",
    "--latency",
    `--script=${script}`,
    `${scheme}://127.0.0.1:${port}`,
  ]);
  return parseWrk(output);
}

/** A loader by wrk, for HTTP/1.1 with or without TLS. */
export function wrkLoader(scheme: "http" | "https", folder: string, workload: Workload): Loader {
  const script = writeScript(folder, workload);
  return (children, at) => runWrk(children, { ...at, script, scheme });
}
