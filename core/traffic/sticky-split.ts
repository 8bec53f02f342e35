// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textHash } from "../../kernel/text-hash.ts";

// Weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): the logarithmic
// method. A key goes to the destination with the greatest -weight / ln(u), where u is the hash of key and destination
// in (0, 1). Shares are proportional to the weights. A key moves only towards a destination whose weight grew, or away from
// one whose weight fell. Where d is the total change of the shares, 2d / (1 + d) of the keys move at most, and d between two
// destinations; no rule without memory does better (Bavarian and others, "Optimality of correlated sampling strategies", 2020).

export interface SplitDestination {
  readonly weight: number;
  /** From `splitSeeds`. */
  readonly splitSeed: number;
}

/** Number of hashes that `textHash` makes. */
const HASHES = 2 ** 53;

/**
 * Seeds of a route's destinations. A seed depends on the cluster's name, and not on the order of the destinations: a new
 * order moves no key. A second destination with the same cluster has a seed of its own.
 */
export function splitSeeds(clusters: readonly string[]): readonly number[] {
  const counts = new Map<string, number>();
  return clusters.map((cluster) => {
    const count = counts.get(cluster) ?? 0;
    counts.set(cluster, count + 1);
    return textHash(cluster, count);
  });
}

/** @param hash Of the key: an integer from 0 to 2^53 − 1. */
export function chooseByHash<D extends SplitDestination>(
  destinations: readonly D[],
  hash: number,
): D | undefined {
  if (destinations.length < 2) return destinations[0];
  const key = hash.toString(36);
  let best: D | undefined;
  let bestScore = 0;
  for (const destination of destinations) {
    const unit = (textHash(key, destination.splitSeed) + 0.5) / HASHES;
    const score = -destination.weight / Math.log(unit);
    if (score <= bestScore) continue;
    best = destination;
    bestScore = score;
  }
  return best ?? destinations.findLast(({ weight }) => weight > 0);
}
