// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An endpoint to choose; the caller's own object, whose counts the caller keeps up to date. */
export interface Candidate {
  /** Identity for consistent hashing, such as `address:port`: equal in every proxy and after every change. */
  readonly key: string;
  /** Relative to the others; at least 1. */
  readonly weight: number;
  /** Number of requests under way at the endpoint. */
  readonly activeRequests: number;
  /** Read when a picker is created: a later change needs a new picker. */
  readonly healthy: boolean;
  /** 0 is the first; a picker compares priorities and ignores gaps between them. */
  readonly priority: number;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  /** Monotonic time in milliseconds at which the endpoint was added or became healthy again. */
  readonly readySinceMs: number;
}

/**
 * Chooses among a fixed set of endpoints. A changed set gets a new picker, so picking needs no lock and no
 * check.
 */
export interface Picker<C> {
  /**
   * @param hash The hash of the request's value, an integer from 0 to 2^53 − 1. Only consistent hashing uses
   * it, which picks at random without one.
   * @param attempt Number of earlier picks for the same request, so that consistent hashing finds another
   * endpoint; default 0.
   * @returns undefined when there is no endpoint to pick.
   */
  pick(hash?: number, attempt?: number): C | undefined;
}

/** Whether all weights are equal, which allows cheaper algorithms. */
export function haveEqualWeights(weights: readonly number[]): boolean {
  return weights.every((weight) => weight === weights[0]);
}

/** The weights that endpoints have of their own. */
export function weightsOf(candidates: readonly Pick<Candidate, "weight">[]): readonly number[] {
  return candidates.map(({ weight }) => weight);
}

/** An integer from 0 to 2^53 − 1, for a request without a hash. */
export function randomHash(random: () => number): number {
  return Math.floor(random() * 2 ** 53);
}
