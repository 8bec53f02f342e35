// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Speeds } from "./scale/provision.ts";

/** The parts of the bench that run on virtual time; they need no other program and no particular machine. */
const SIMULATIONS = ["accuracy", "scale"] as const;
export type Simulation = (typeof SIMULATIONS)[number];

export const PARTS = ["speed", ...SIMULATIONS] as const;

export interface SimulationFlags {
  readonly json: boolean;
  /** The simulations that run. */
  readonly parts: readonly Simulation[];
  /** Whether the speed is measured too. */
  readonly withSpeed: boolean;
  /** The file for the plot of the part `scale`. */
  readonly svg: string | undefined;
  /** Whether to write the tables and the plot into `docs/guides/`. */
  readonly updateDocs: boolean;
  readonly speeds: Speeds;
}

/**
 * Rounded down from measurements on an AMD EPYC with two cores and Node.js 20: a mixer answered 23,237 checks a
 * second with 20 policies and 3 quotas (bench:check), and a call for a quota costs less than a check; the adapter
 * redis-quota decided 103,804 charges a second in one Redis with 512 under way (bench:quota).
 */
export const DEFAULT_SPEEDS: Speeds = { shardDecisionsPerS: 100_000, mixerCallsPerS: 20_000 };

/** The options of the simulations for `parseArgs`. */
export const SIMULATION_OPTIONS = {
  part: { type: "string" },
  svg: { type: "string" },
  "update-docs": { type: "boolean", default: false },
  "shard-decisions": { type: "string" },
  "mixer-calls": { type: "string" },
} as const;

/** The lines of the options in --help, without `--part`. */
export const SIMULATION_HELP = `  --svg <file>       write the plot of the part scale
  --update-docs      write the tables into docs/guides/quotas.md and the plot into docs/guides/quota-scale.svg
  --shard-decisions <n>
                     decisions a second of a shard of Redis (default: ${DEFAULT_SPEEDS.shardDecisionsPerS})
  --mixer-calls <n>  calls a second that a mixer on one core answers (default: ${DEFAULT_SPEEDS.mixerCallsPerS})`;

/** Reads the values of `SIMULATION_OPTIONS`. Throws an Error whose message names the wrong option. */
export function simulationFlags(values: {
  readonly json: boolean;
  readonly part?: string;
  readonly svg?: string;
  readonly "update-docs": boolean;
  readonly "shard-decisions"?: string;
  readonly "mixer-calls"?: string;
}): SimulationFlags {
  const { json, part, svg } = values;
  if (part !== undefined && !PARTS.some((name) => name === part))
    throw new Error(`--part must be speed, accuracy or scale, not ${part}`);
  const parts = SIMULATIONS.filter((name) => part === undefined || part === name);
  if (svg !== undefined && !parts.includes("scale")) throw new Error("--svg needs the part scale");
  const { shardDecisionsPerS, mixerCallsPerS } = DEFAULT_SPEEDS;
  return {
    json,
    parts,
    withSpeed: part === undefined || part === "speed",
    svg,
    updateDocs: values["update-docs"],
    speeds: {
      shardDecisionsPerS: speed("--shard-decisions", values["shard-decisions"], shardDecisionsPerS),
      mixerCallsPerS: speed("--mixer-calls", values["mixer-calls"], mixerCallsPerS),
    },
  };
}

function speed(flag: string, text: string | undefined, byDefault: number): number {
  const value = Number(text ?? byDefault);
  if (!Number.isInteger(value) || value < 1 || value > 1e9)
    throw new Error(`${flag} must be a whole number from 1 to 1000000000, not ${text}`);
  return value;
}
