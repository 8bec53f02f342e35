// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { CONTENDERS } from "./contenders/index.ts";
import { WORKLOADS } from "./load/workloads.ts";

export interface Flags {
  readonly help: boolean;
  readonly json: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly only: readonly string[];
  readonly workloads: readonly string[];
  readonly node: string;
}

const NAMES = CONTENDERS.map(({ name }) => name);

export const HELP = `Usage: npm run bench:proxy -- [options]

Compares Purser's proxy with others on this machine. An nginx upstream and the load generator
have one core; the contenders have another one to themselves, in turn. It needs Linux with two
cores, nginx and wrk (apt-get install nginx wrk). Peers from npm and PyPI are downloaded once
into a cache folder; a peer that is missing is named, and the others are measured.

Options:
  --json             print one JSON object instead of tables
  --rounds <n>       times that each contender has its turn, 1 to 50 (default: 3)
  --seconds <n>      length of each run, 1 to 60 (default: 5)
  --only <names>     contenders, by commas (default: all)
  --workload <names> workloads, by commas (default: ${WORKLOADS.map(({ name }) => name).join(",")})
  --node <path>      the Node.js for Purser and the peers on Node.js (default: this one)
  --help             print this text

Contenders:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}

Exit code: 0 when every bar that could be measured is met, 1 when one is missed or the bench
failed, 2 for wrong options.

Examples:
  npm run bench:proxy -- --only nginx,forwarder,purser-full --workload get-1k   about two minutes
  npm run --silent bench:proxy -- --json >figures.json                          about fifteen minutes
  npm run bench:proxy -- --node "$(npx --yes --package=node@24 which node)"     on Node.js 24
`;

/** Reads the command line. Throws an Error whose message names the wrong option and the choices. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "5" },
      only: { type: "string", default: NAMES.join(",") },
      workload: { type: "string", default: WORKLOADS.map(({ name }) => name).join(",") },
      node: { type: "string", default: process.execPath },
    },
  });
  return {
    help: values.help,
    json: values.json,
    rounds: integer("--rounds", values.rounds, 50),
    seconds: integer("--seconds", values.seconds, 60),
    only: choices("--only", values.only, NAMES),
    workloads: choices(
      "--workload",
      values.workload,
      WORKLOADS.map(({ name }) => name),
    ),
    node: values.node,
  };
}

export function integer(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`${flag} must be a whole number from 1 to ${most}, not ${text}`);
  return value;
}

function choices(flag: string, text: string, known: readonly string[]): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new Error(`${flag}: there is no ${wrong || "empty name"}; choose from ${known.join(", ")}`);
  return names;
}
