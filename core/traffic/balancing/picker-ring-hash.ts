// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import { textHash } from "../../../kernel/text-hash.ts";
import { type Candidate, type Picker, randomHash } from "./picker.ts";

/** Largest ring, and so the largest `minimumRingSize`: building it takes some 10 ms. */
export const MAX_RING_SIZE = 65_536;

/** A point is `position × INDEX_RANGE + index`, an exact integer: 32 bits of position, 21 of index. */
const INDEX_RANGE = 2 ** 21;

/**
 * Consistent hashing on a ring (Karger et al., 1997; ketama, 2007): each endpoint has many points on a ring of
 * hashes, and a request goes to the endpoint of the next point at or after its own hash.
 *
 * Of `minimumRingSize` (m) points, the heaviest endpoint has m and each other endpoint a part by weight. Envoy
 * divides m among all endpoints instead, so that every new endpoint takes points from all others and about
 * twice its share of requests moves; here only its share does. Beyond MAX_RING_SIZE points, endpoints share
 * these, and a change moves up to its share once more: less than 2 % of requests with the default of m.
 * The ring is built at the first pick.
 */
export function createRingHashPicker<C extends Pick<Candidate, "key">>(
  candidates: readonly C[],
  weights: readonly number[],
  minimumRingSize: number,
  random: Random,
): Picker<C> {
  if (candidates.length < 2) return { pick: () => candidates[0] };
  let ring: Float64Array | undefined;
  return {
    pick(hash = randomHash(random), attempt = 0) {
      ring ??= buildRing(candidates, weights, minimumRingSize);
      // Envoy's rule for retries: the endpoint of the next point, of the one after it, and so on.
      const at = (nextPoint(ring, Math.floor(hash / INDEX_RANGE)) + attempt) % ring.length;
      return candidates[(ring[at] as number) % INDEX_RANGE];
    },
  };
}

/** The points in ascending order. */
function buildRing(
  candidates: readonly Pick<Candidate, "key">[],
  weights: readonly number[],
  minimumRingSize: number,
): Float64Array {
  const counts = pointCounts(candidates, weights, minimumRingSize);
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let size = 0;
  // An endpoint that is listed twice goes on with the points after its first ones.
  const used = new Map<string, number>();
  candidates.forEach(({ key }, index) => {
    const first = used.get(key) ?? 0;
    const end = first + (counts[index] as number);
    used.set(key, end);
    const seed = textHash(key);
    for (let point = first; point < end; point++) {
      const position = Math.floor(textHash(String(point), seed) / INDEX_RANGE);
      points[size++] = position * INDEX_RANGE + index;
    }
  });
  return points.sort();
}

/**
 * Number of points of each endpoint, at least 1. A fraction of a point is rounded up or down by the endpoint's
 * own hash, so that counts change little by little as endpoints come and go.
 */
function pointCounts(
  candidates: readonly Pick<Candidate, "key">[],
  weights: readonly number[],
  minimumRingSize: number,
): readonly number[] {
  let sum = 0;
  let heaviest = 0;
  for (const weight of weights) {
    sum += weight;
    heaviest = Math.max(heaviest, weight);
  }
  const perWeight = Math.min(minimumRingSize / heaviest, MAX_RING_SIZE / sum);
  return candidates.map(({ key }, index) => {
    const rounding = textHash(key, 1) / 2 ** 53;
    return Math.max(1, Math.floor((weights[index] as number) * perWeight + rounding));
  });
}

/** Index of the first point at or after `position`, by binary search; past the last point, of the first. */
function nextPoint(ring: Float64Array, position: number): number {
  const wanted = position * INDEX_RANGE;
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}
