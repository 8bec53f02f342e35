// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A counter of quotas under measurement, asked by a Node.js process of its own. */
export interface Contender {
  readonly name: string;
  /** The server that the process asks. */
  readonly asks: "redis" | "ratelimit";
  /** Shown by --help. */
  readonly summary: string;
  /** Numbers of decisions under way at a time. */
  readonly concurrencies: readonly number[];
}

/** Names of the contenders that the bars are about. */
export const MEMORY = "memory";
export const REDIS = "redis";
export const PEER = "rate-limiter-flexible";
/** Name of the service, which answers over the network; no bar is about it. */
export const SERVICE = "envoyproxy/ratelimit";

const CONCURRENCIES = [1, 64, 512];
/** Decisions under way in the runs that the bars are about. */
export const JUDGED = 512;

export const CONTENDERS: readonly Contender[] = [
  { name: MEMORY, asks: "redis", summary: "the memory store, fixed window", concurrencies: [1] },
  {
    name: REDIS,
    asks: "redis",
    summary: "the adapter redis-quota, fixed window",
    concurrencies: CONCURRENCIES,
  },
  {
    name: "redis-sliding-window",
    asks: "redis",
    summary: "the adapter redis-quota, sliding window",
    concurrencies: [JUDGED],
  },
  {
    name: "redis-token-bucket",
    asks: "redis",
    summary: "the adapter redis-quota, token bucket",
    concurrencies: [JUDGED],
  },
  {
    name: PEER,
    asks: "redis",
    summary: "RateLimiterRedis of the package, fixed window",
    concurrencies: CONCURRENCIES,
  },
  {
    name: SERVICE,
    asks: "ratelimit",
    summary: "a decision over the network: POST /json to the service, which counts in the same Redis",
    concurrencies: [64],
  },
];

/** Peers that are never measured, with the reason. */
export const NOT_MEASURED: Readonly<Record<string, string>> = {
  Limitador: "not measured: a server in Rust, of which the bench has no program to run",
};
