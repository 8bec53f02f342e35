// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TimedAlgorithm } from "../accuracy/traffic.ts";

/** A mesh whose proxies share quotas by key. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly proxies: number;
  /** Requests of all proxies together. */
  readonly requestsPerS: number;
  /** Number of keys; each is a count of its own. */
  readonly keys: number;
  /** The key of rank r has a share of the requests proportional to 1 / r^exponent (Zipf). */
  readonly zipfExponent: number;
  /** Limit of each key, in requests for a window. */
  readonly limit: number;
  readonly windowMs: number;
  /** The policy's `lease`. */
  readonly leaseMs: number;
  readonly algorithm: TimedAlgorithm;
  /** Number of shards of the store; each key is on one. */
  readonly shards: number;
  /** Time from a proxy's ask to its answer; the store counts halfway. */
  readonly roundTripMs: number;
}

const MESH = {
  proxies: 10_000,
  requestsPerS: 1_000_000,
  zipfExponent: 1,
  windowMs: 3_000,
  leaseMs: 1_000,
  algorithm: "fixed-window",
  shards: 16,
  roundTripMs: 2,
} as const;

/** The meshes of the report: one limit for all, a hundred tenants, a million users. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...MESH,
    name: "mesh",
    summary: "one limit for the whole mesh",
    keys: 1,
    limit: 2_700_000,
  },
  {
    ...MESH,
    name: "tenants",
    summary: "a limit for each of 100 tenants",
    keys: 100,
    limit: 120_000,
  },
  {
    ...MESH,
    name: "users",
    summary: "a limit for each of 1,000,000 users",
    keys: 1_000_000,
    limit: 30,
  },
];
