// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";
import { CONTENDERS } from "./contenders.ts";
import {
  PARTS,
  type SimulationFlags,
  simulationFlags,
  SIMULATION_HELP,
  SIMULATION_OPTIONS,
} from "./simulation-flags.ts";

export interface QuotaFlags extends CommonFlags {
  /** The simulations that run beside the measurement of speed, or without it. */
  readonly simulations: SimulationFlags;
}

const DEFAULTS = { rounds: 3, seconds: 3, warmUp: 2 };

export const HELP = `Usage: npm run bench:quota -- [options]

Measures quotas in three parts:

  speed     decisions per second of the stores beside peers, and their CPU time
  accuracy  what 1 to 8 proxies admit of a demand around the limit, beside a central counter: with
            the real policy client, lease manager and memory store; and the stated bound
  scale     10000 proxies with 1000000 requests a second, as a model of discrete events whose lease
            sizes and times are the lease manager's own: calls of shards, proxies and keys

accuracy and scale run on virtual time: every run gives the same figures, on any machine.

In speed, 10000 counts are charged in turn. Each contender is a Node.js process on a core of its
own; redis-server has the other core, together with the service that one contender asks. Every
decision is a call of its own; those of one turn of the event loop may share a round trip. It needs Linux with two cores and redis-server (apt-get install redis-server).

Options:
  --part <name>      ${PARTS.join(", ")} (default: all parts)
${commonHelp(DEFAULTS)}
${SIMULATION_HELP}

Contenders:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(24)} ${summary}`).join("\n")}

Exit code: 0 when every bar is met, every cell keeps its bound and no limit is exceeded; 1 when one of
them is missed or the bench failed; 2 for wrong options.

Examples:
  npm run bench:quota                                      about six minutes
  npm run bench:quota -- --part scale --svg scale.svg      a minute
  npm run --silent bench:quota -- --json >figures.json
`;

/** Reads the command line. Throws an Error whose message names the wrong option. */
export function parseFlags(args: readonly string[]): QuotaFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...COMMON,
      ...SIMULATION_OPTIONS,
      "warm-up": { type: "string", default: `${DEFAULTS.warmUp}` },
    },
  });
  return { ...commonFlags(values, DEFAULTS), simulations: simulationFlags(values) };
}

/** The flags of a run of simulations without speed; undefined for any other command line. */
export function simulationsAlone(args: readonly string[]): SimulationFlags | undefined {
  try {
    const { help, simulations } = parseFlags(args);
    return help || simulations.withSpeed ? undefined : simulations;
  } catch {
    // The command refuses the options, with a message.
    return undefined;
  }
}
