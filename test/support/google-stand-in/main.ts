// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// A stand-in of Google's Cloud Monitoring, Logging and Trace: `main.ts [--host HOST] [--port N] [--require-token]`. Prints a line for
// each call, and a line for each thing that arrived. GET /stand-in/time-series, /stand-in/entries, /stand-in/spans,
// /stand-in/descriptors and /stand-in/refusals show everything; POST /stand-in/faults {"fault": "503", "count": 3} makes it fail.

import { parseArgs } from "node:util";
import { isFields } from "./fields.ts";
import { startGoogleStandIn } from "./server.ts";
import type { StandInCall } from "./stand-in.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8085" },
    "require-token": { type: "boolean", default: false },
  },
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The list of a request whose items are printed, a line each. */
const LISTS = ["timeSeries", "entries", "spans"];

function printCall({ method, path, body, outcome, error }: StandInCall): void {
  print(`${method} ${path} ${outcome}${error === undefined ? "" : ` ${error}`}`);
  if (outcome !== "200") return;
  const request: unknown = JSON.parse(body === "" ? "{}" : body);
  for (const list of LISTS) {
    const items = isFields(request) ? request[list] : undefined;
    if (Array.isArray(items)) for (const item of items) print(`  ${JSON.stringify(item)}`);
  }
}

const running = await startGoogleStandIn({
  host: values.host,
  port: Number(values.port),
  requireToken: values["require-token"],
  onCall: printCall,
});
print(`the stand-in of Google Cloud listens on ${running.url}`);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void running.close().then(() => process.exit(0)));
