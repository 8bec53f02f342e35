// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";
import { CONTENDERS } from "./contenders.ts";

const DEFAULTS = { rounds: 3, seconds: 3 };

export const HELP = `Usage: npm run bench:telemetry -- [options]

Measures the cost of telemetry in three parts:

  1. nanoseconds for an increment of a labelled counter: the adapter prometheus, prom-client,
     the OpenTelemetry SDK (from npm, downloaded once into a cache folder);
  2. reports and bags per second that a mixer on one core takes (POST /v1/report, 100 bags each)
     and passes to its handlers, with the shares that they delivered and dropped;
  3. vCPU for 1000 requests a second that policy and telemetry add to the proxy: the contenders
     purser-full and purser of bench:proxy with get-1k.

The load generator and the receivers have one core; the contenders have another one in turn, and
are suspended while another has it. It needs Linux with two cores, nginx and wrk (apt-get install
nginx wrk). Kafka needs Java and Maven; without them its contenders are named as missing, and the
others are measured.

Options:
${commonHelp(DEFAULTS)}

Contenders of part 2:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}

Exit code: 0 when every bar is met, 1 when one is missed or the bench failed, 2 for wrong options.

Examples:
  npm run bench:telemetry                                      less than four minutes
  npm run --silent bench:telemetry -- --json >figures.json
`;

/** Reads the command line. Throws an Error whose message names the wrong option. */
export function parseFlags(args: readonly string[]): CommonFlags {
  const { values } = parseArgs({ args: [...args], options: COMMON });
  return commonFlags(values, DEFAULTS);
}
