// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";
import { CONTENDERS } from "./contenders.ts";

const DEFAULTS = { rounds: 3, seconds: 3, warmUp: 2 };

export const HELP = `Usage: npm run bench:quota -- [options]

Measures the decisions of quotas per second and the CPU time of each, for 10000 counts in turn. Each
contender is a Node.js process on a core of its own; redis-server has the other core, together with
the service that one contender asks. Every decision is a call of its own; those of one turn of the
event loop may share a round trip.

It needs Linux with two cores and redis-server (apt-get install redis-server).

Options:
${commonHelp(DEFAULTS)}

Contenders:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(24)} ${summary}`).join("\n")}

Exit code: 0 when every bar is met, 1 when one is missed or the bench failed, 2 for wrong options.

Examples:
  npm run bench:quota                                      about four minutes
  npm run --silent bench:quota -- --json >figures.json
`;

/** Reads the command line. Throws an Error whose message names the wrong option. */
export function parseFlags(args: readonly string[]): CommonFlags {
  const { values } = parseArgs({
    args: [...args],
    options: { ...COMMON, "warm-up": { type: "string", default: `${DEFAULTS.warmUp}` } },
  });
  return commonFlags(values, DEFAULTS);
}
