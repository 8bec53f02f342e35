// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { integer } from "../proxy/options.ts";

export interface Flags {
  readonly help: boolean;
  readonly json: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly node: string;
}

export const HELP = `Usage: npm run bench:check -- [options]

Compares the mixer's check over HTTP (POST /v1/check, with 20 policies and 3 quotas) with Koa
applications that only parse the same requests and answer JSON. The load generator has one core;
the contenders have another one to themselves, in turn. It needs Linux with two cores and wrk
(apt-get install wrk).

Options:
  --json             print one JSON object instead of tables
  --rounds <n>       times that each contender has its turn, 1 to 50 (default: 5)
  --seconds <n>      length of each run, 1 to 60 (default: 3)
  --node <path>      the Node.js for all contenders (default: this one)
  --help             print this text

Contenders:
  koa                answers JSON of the form and size of the mixer's reply
  koa-short          answers about a hundred bytes
  mixer              purser mixer

Exit code: 0 when every bar is met, 1 when one is missed or the bench failed, 2 for wrong options.

Examples:
  npm run bench:check                                      about one minute
  npm run --silent bench:check -- --json >figures.json
`;

/** Reads the command line. Throws an Error whose message names the wrong option. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      node: { type: "string", default: process.execPath },
    },
  });
  return {
    help: values.help,
    json: values.json,
    rounds: integer("--rounds", values.rounds, 50),
    seconds: integer("--seconds", values.seconds, 60),
    node: values.node,
  };
}
