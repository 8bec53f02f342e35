// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";
import { CONTENDERS } from "./contenders/index.ts";
import { WORKLOADS } from "./load/workloads.ts";

export interface Flags extends CommonFlags {
  /** Names of the contenders; the others are neither prepared nor reported. */
  readonly only: readonly string[];
  readonly workloads: readonly string[];
}

const DEFAULTS = { rounds: 3, seconds: 5 };
const NAMES = CONTENDERS.map(({ name }) => name);

export const HELP = `Usage: npm run bench:proxy -- [options]

Compares Purser's proxy with others on this machine. An nginx upstream and the load generator
have one core; the contenders have another one in turn, and are suspended while another has it.
It needs Linux with two cores, nginx and wrk (apt-get install nginx wrk). Peers from npm and PyPI
are downloaded once into a cache folder; a peer that is missing is named, and the others are
measured.

Options:
  --only <names>     contenders, by commas (default: all)
  --workload <names> workloads, by commas (default: ${WORKLOADS.map(({ name }) => name).join(",")})
${commonHelp(DEFAULTS)}

Contenders:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}

Exit code: 0 when every bar that could be measured is met, 1 when one is missed or the bench
failed, 2 for wrong options.

Examples:
  npm run bench:proxy -- --only nginx,forwarder,purser-full --workload get-1k   about three minutes
  npm run --silent bench:proxy -- --json >figures.json                          about twenty-five minutes
  npm run bench:proxy -- --node "$(npx --yes --package=node@24 which node)"     on Node.js 24
`;

/** Reads the command line. Throws an Error whose message names the wrong option and the choices. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...COMMON,
      only: { type: "string", default: NAMES.join(",") },
      workload: { type: "string", default: WORKLOADS.map(({ name }) => name).join(",") },
    },
  });
  return {
    ...commonFlags(values, DEFAULTS),
    only: choices("--only", values.only, NAMES),
    workloads: choices(
      "--workload",
      values.workload,
      WORKLOADS.map(({ name }) => name),
    ),
  };
}

function choices(flag: string, text: string, known: readonly string[]): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new Error(`${flag}: there is no ${wrong || "empty name"}; choose from ${known.join(", ")}`);
  return names;
}
