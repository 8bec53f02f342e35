// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Children } from "../../machine/children.ts";
import { program } from "../../machine/repository.ts";

/** The figures of a run at a fixed rate, by `programs/paced-load.ts`. */
export interface PacedLoad {
  readonly rate: number;
  readonly answered: number;
  /** Responses other than 200, and connections that broke under a request. */
  readonly errors: number;
  /** Requests that had no answer two seconds after the last one; they count in the percentiles as they stand. */
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The largest p99 of any 100 ms of the run. */
  readonly worstWindowP99Ms: number;
  /** The generator's own greatest delay, which is no part of the latencies. */
  readonly generatorLateMs: number;
}

/**
 * The highest rate that the generator keeps on a core that it shares with the upstream, in requests a second:
 * it spends about 20 µs a request, the upstream about 8 µs.
 */
export const MAX_RATE = 16_000;

/** Loads the port at the rate, whatever the answers take (an open loop). */
export async function runPaced(
  children: Children,
  options: {
    readonly core: number;
    readonly port: number;
    readonly rate: number;
    readonly seconds: number;
    readonly path: string;
  },
): Promise<PacedLoad> {
  const { core, port, rate, seconds, path } = options;
  const output = await children.output(core, [
    process.execPath,
    program("paced-load"),
    JSON.stringify({ port, rate, seconds, path }),
  ]);
  return JSON.parse(output) as PacedLoad;
}
