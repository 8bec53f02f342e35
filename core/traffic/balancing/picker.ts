// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** What a picker chooses between: the caller's own endpoint objects, whose counts it keeps up to date. */
export interface Candidate {
  /** Relative to the others; at least 1. */
  readonly weight: number;
  /** Requests under way there now. */
  readonly activeRequests: number;
}

/** Chooses among a fixed set of endpoints. A changed set gets a new picker, so picking needs no lock and no check. */
export interface Picker<C> {
  /** Undefined when there is nothing to choose from. */
  pick(): C | undefined;
}

/** Whether all weights are the same, which has cheaper ways to choose. */
export function haveEqualWeights(candidates: readonly Pick<Candidate, "weight">[]): boolean {
  return candidates.every((candidate) => candidate.weight === candidates[0]?.weight);
}
