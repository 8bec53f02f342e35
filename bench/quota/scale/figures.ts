// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Provision, provisionOf, type Speeds } from "./provision.ts";
import type { Scenario } from "./scenario.ts";
import type { Counts } from "./simulate.ts";

/** A mean over keys of similar rank. */
export interface KeyPoint {
  /** The middle of the ranks, geometrically; the busiest key has rank 1. */
  readonly rank: number;
  readonly requests_per_s: number;
  readonly calls_per_s: number;
}

/** The figures of a scenario; rates are means over the simulated window. A call is one charge of one count. */
export interface ScaleFigures {
  readonly name: string;
  readonly summary: string;
  readonly requests_per_s: number;
  readonly calls_per_s: number;
  readonly calls_per_shard_per_s: { readonly mean: number; readonly most: number };
  readonly calls_per_proxy_per_s: number;
  /** Calls that give unused amounts back; they are part of all others. */
  readonly give_backs_per_proxy_per_s: number;
  /** Mean amount of a grant. */
  readonly amount_per_ask: number;
  /** The key with the most calls. */
  readonly hot_key: { readonly requests_per_s: number; readonly calls_per_s: number };
  /** The part of what a central counter admits that was refused. */
  readonly under: number;
  /** Amount that keys admitted beyond their limits. */
  readonly over: number;
  readonly provision: Provision;
  readonly keys: readonly KeyPoint[];
}

export function figuresOf(scenario: Scenario, counts: Counts, speeds: Speeds): ScaleFigures {
  const { name, summary, proxies, windowMs } = scenario;
  const perS = (count: number): number => Math.round((count * 1_000) / windowMs);
  const calls = counts.asks + counts.giveBacks;
  const hotKey = counts.keyCalls.indexOf(counts.keyCalls.reduce((most, one) => Math.max(most, one), 0));
  const hotKeyCallsPerS = perS(counts.keyCalls[hotKey] as number);
  return {
    name,
    summary,
    requests_per_s: perS(counts.requests),
    calls_per_s: perS(calls),
    calls_per_shard_per_s: {
      mean: perS(calls / counts.shardCalls.length),
      most: perS(Math.max(...counts.shardCalls)),
    },
    calls_per_proxy_per_s: round(perS(calls) / proxies, 1),
    give_backs_per_proxy_per_s: round(perS(counts.giveBacks) / proxies, 1),
    amount_per_ask: round(counts.granted / counts.asks, 2),
    hot_key: {
      requests_per_s: perS(counts.keyRequests[hotKey] as number),
      calls_per_s: hotKeyCallsPerS,
    },
    under: round((counts.allowed - counts.admitted) / counts.allowed, 5),
    over: counts.over,
    provision: provisionOf({ callsPerS: perS(calls), hotKeyCallsPerS }, speeds),
    keys: keyPoints(counts, windowMs),
  };
}

/** Ranks in groups whose bounds double, so that every decade has as many points. */
function keyPoints({ keyCalls, keyRequests }: Counts, windowMs: number): readonly KeyPoint[] {
  const points: KeyPoint[] = [];
  for (let first = 0; first < keyCalls.length; first = 2 * first + 1) {
    const end = Math.min(keyCalls.length, 2 * first + 1);
    const mean = (counts: Uint32Array): number =>
      counts.subarray(first, end).reduce((sum, one) => sum + one, 0) / (end - first) / (windowMs / 1_000);
    points.push({
      rank: round(Math.sqrt((first + 1) * end), 1),
      requests_per_s: round(mean(keyRequests), 3),
      calls_per_s: round(mean(keyCalls), 3),
    });
  }
  return points;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
