// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaAlgorithm } from "../../../core/quota/quota-definition.ts";
import type { Random } from "../../../kernel/ports.ts";

/** The algorithms of the table: those that count in windows of a length. */
export type TimedAlgorithm = Exclude<QuotaAlgorithm, "allocation" | "concurrency">;

/** One count, the proxies that share it, and their traffic. */
export interface Traffic {
  readonly algorithm: TimedAlgorithm;
  readonly limit: number;
  readonly windowMs: number;
  /** Demand as a multiple of the limit. */
  readonly load: number;
  /** The share of the demand that each proxy has; one for each proxy, with a sum of 1. */
  readonly shares: readonly number[];
  /** Time that the store takes for an answer, in milliseconds; it counts in the middle of it. */
  readonly storeLatencyMs: number;
}

/** One way between a proxy and the mixer, in milliseconds. */
export const WAY_MS = 0.5;

/** Time from a proxy's call to its reply, in milliseconds. */
export function roundTripMs({ storeLatencyMs }: Pick<Traffic, "storeLatencyMs">): number {
  return 2 * WAY_MS + storeLatencyMs;
}

/** The default of a QuotaPolicy's `lease`: a tenth of the window, at most a second. In milliseconds. */
export function defaultLeaseMs(windowMs: number): number {
  return Math.min(1_000, Math.floor(windowMs / 10));
}

/** A request: the time of its arrival in milliseconds, and the index of the proxy that it reaches. */
export interface Arrival {
  readonly atMs: number;
  readonly proxy: number;
}

/**
 * Poisson arrivals in [0, untilMs): the waits between them are exponential, and each chooses its proxy by the
 * shares.
 */
export function* arrivals(traffic: Traffic, untilMs: number, random: Random): Generator<Arrival> {
  const { load, limit, windowMs, shares } = traffic;
  const meanWaitMs = windowMs / (load * limit);
  let atMs = 0;
  for (;;) {
    atMs -= Math.log(1 - random()) * meanWaitMs;
    if (atMs >= untilMs) return;
    yield { atMs, proxy: chosen(shares, random()) };
  }
}

function chosen(shares: readonly number[], place: number): number {
  let rest = place;
  for (const [index, share] of shares.entries()) {
    rest -= share;
    if (rest < 0) return index;
  }
  return shares.length - 1;
}
