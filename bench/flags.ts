// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The flags that the benches of programs under load share. */
export interface CommonFlags {
  readonly help: boolean;
  readonly json: boolean;
  readonly rounds: number;
  /** Length of each run, in seconds. */
  readonly seconds: number;
  /** Time at full load with the first workload before a contender is timed, in seconds. */
  readonly warmUp: number;
  /** The Node.js that runs Purser and the peers on Node.js. */
  readonly node: string;
}

const WARM_UP_S = 12;

/** The shared flags for `parseArgs`. */
export const COMMON = {
  help: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  rounds: { type: "string" },
  seconds: { type: "string" },
  "warm-up": { type: "string", default: `${WARM_UP_S}` },
  node: { type: "string", default: process.execPath },
} as const;

/** The lines of the shared flags in --help. */
export function commonHelp({
  rounds,
  seconds,
  warmUp = WARM_UP_S,
}: {
  readonly rounds: number;
  readonly seconds: number | string;
  readonly warmUp?: number;
}): string {
  return `  --json             print one JSON object instead of tables
  --rounds <n>       times that each contender has its turn, 1 to 50 (default: ${rounds})
  --seconds <n>      length of each run, 1 to 60 (default: ${seconds})
  --warm-up <n>      seconds at full load before a contender is timed, 1 to 60 (default: ${warmUp})
  --node <path>      the Node.js for Purser and the peers on Node.js (default: this one)
  --help             print this text`;
}

/** Reads the values of `COMMON`. Throws an Error whose message names the wrong option. */
export function commonFlags(
  values: {
    readonly help: boolean;
    readonly json: boolean;
    readonly rounds?: string;
    readonly seconds?: string;
    readonly "warm-up": string;
    readonly node: string;
  },
  defaults: { readonly rounds: number; readonly seconds: number },
): CommonFlags {
  const { help, json, node } = values;
  return {
    help,
    json,
    rounds: integer("--rounds", values.rounds ?? `${defaults.rounds}`, 50),
    seconds: integer("--seconds", values.seconds ?? `${defaults.seconds}`, 60),
    warmUp: integer("--warm-up", values["warm-up"], 60),
    node,
  };
}

function integer(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`${flag} must be a whole number from 1 to ${most}, not ${text}`);
  return value;
}
