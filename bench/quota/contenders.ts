// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A counter of quotas under measurement, in a Node.js process of its own. */
export interface Contender {
  readonly name: string;
  /** Shown by --help. */
  readonly summary: string;
  /** Numbers of decisions under way at a time. */
  readonly concurrencies: readonly number[];
}

/** Names of the contenders that the bars are about. */
export const MEMORY = "memory";
export const REDIS = "redis";
export const PEER = "rate-limiter-flexible";

const CONCURRENCIES = [1, 64, 512];
/** Decisions under way in the runs that the bars are about. */
export const JUDGED = 512;

export const CONTENDERS: readonly Contender[] = [
  { name: MEMORY, summary: "the memory store, fixed window", concurrencies: [1] },
  { name: REDIS, summary: "the adapter redis-quota, fixed window", concurrencies: CONCURRENCIES },
  {
    name: "redis-sliding-window",
    summary: "the adapter redis-quota, sliding window",
    concurrencies: [JUDGED],
  },
  { name: "redis-token-bucket", summary: "the adapter redis-quota, token bucket", concurrencies: [JUDGED] },
  { name: PEER, summary: "RateLimiterRedis of the package, fixed window", concurrencies: CONCURRENCIES },
];

/** Peers that are not measured, with the reason. */
export const NOT_MEASURED: Readonly<Record<string, string>> = {
  "envoyproxy/ratelimit": "a server of its own: its figures would be of its protocol, gRPC",
  Limitador: "a server of its own: its figures would be of its protocol, gRPC",
};
