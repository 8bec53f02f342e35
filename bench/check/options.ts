// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";

const DEFAULTS = { rounds: 5, seconds: 3 };

export const HELP = `Usage: npm run bench:check -- [options]

Compares the mixer's check over HTTP (POST /v1/check, with 20 policies and 3 quotas) with Koa
applications that only parse the same requests and answer JSON. The load generator has one core;
the contenders have another one in turn, and are suspended while another has it. It needs Linux
with two cores and wrk (apt-get install wrk).

Options:
${commonHelp(DEFAULTS)}

Contenders:
  koa                answers JSON of the form and size of the mixer's reply
  koa-short          answers about a hundred bytes
  mixer              purser mixer

Exit code: 0 when every bar is met, 1 when one is missed or the bench failed, 2 for wrong options.

Examples:
  npm run bench:check                                      about two minutes
  npm run --silent bench:check -- --json >figures.json
`;

/** Reads the command line. Throws an Error whose message names the wrong option. */
export function parseFlags(args: readonly string[]): CommonFlags {
  const { values } = parseArgs({ args: [...args], options: COMMON });
  return commonFlags(values, DEFAULTS);
}
