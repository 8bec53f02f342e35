// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An endpoint to choose; the caller's own object, whose counts the caller keeps up to date. */
export interface Candidate {
  /** Relative to the others; at least 1. */
  readonly weight: number;
  /** Number of requests under way at the endpoint. */
  readonly activeRequests: number;
}

/**
 * Chooses among a fixed set of endpoints. A changed set gets a new picker, so picking needs no lock and no
 * check.
 */
export interface Picker<C> {
  /** undefined when there are no endpoints. */
  pick(): C | undefined;
}

/** Whether all weights are equal, which allows cheaper algorithms. */
export function haveEqualWeights(candidates: readonly Pick<Candidate, "weight">[]): boolean {
  return candidates.every((candidate) => candidate.weight === candidates[0]?.weight);
}
