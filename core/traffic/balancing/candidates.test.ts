// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSeededRandom } from "../../../plugins/sdk/testing/seeded-random.ts";
import { textHash } from "../../../kernel/text-hash.ts";
import type { LoadBalancer } from "../resources/load-balancer.ts";
import { type BalancingPorts, type BalancingSettings, createPicker } from "./load-balancer.ts";
import type { Candidate, Picker } from "./picker.ts";

/** Shared by the tests of balancing. */

export interface TestEndpoint extends Candidate {
  activeRequests: number;
  healthy: boolean;
}

/** The endpoint 10.0.x.y:8080 with the given number. */
export function endpointOf(number: number, more: Partial<TestEndpoint> = {}): TestEndpoint {
  return {
    key: `10.0.${number >> 8}.${number & 255}:8080`,
    weight: 1,
    activeRequests: 0,
    healthy: true,
    priority: 0,
    locality: "",
    readySinceMs: 0,
    ...more,
  };
}

/** Endpoints with these weights. */
export function endpointsOf(...weights: readonly number[]): readonly TestEndpoint[] {
  return weights.map((weight, number) => endpointOf(number, { weight }));
}

/** `count` endpoints, of which the last `unhealthy` are not healthy. */
export function groupOf(
  count: number,
  unhealthy: number,
  first: number,
  more: Partial<TestEndpoint> = {},
): readonly TestEndpoint[] {
  return Array.from({ length: count }, (_, index) =>
    endpointOf(first + index, { healthy: index < count - unhealthy, ...more }),
  );
}

const HASH_ON = { kind: "header", name: "x-user" } as const;

export const RING: LoadBalancer = { kind: "ring-hash", hashOn: HASH_ON, minimumRingSize: 1024 };
export const MAGLEV: LoadBalancer = { kind: "maglev", hashOn: HASH_ON, tableSize: 65_537 };

export const portsOf = (seed = 1): BalancingPorts => ({
  random: createSeededRandom(seed),
  clock: { monotonicMs: () => 0 },
});

export function pickerOf<C extends Candidate>(
  loadBalancer: LoadBalancer,
  candidates: readonly C[],
  more: Partial<BalancingSettings> = {},
  seed = 1,
): Picker<C> {
  return createPicker({ loadBalancer, ...more }, candidates, portsOf(seed));
}

/** The hash of the n-th user. */
export const userHash = (user: number): number => textHash(`user-${user}`);

/** Share of each endpoint, in the endpoints' order; each pick is of another user. */
export function sharesOf<C extends Candidate>(
  picker: Picker<C>,
  candidates: readonly C[],
  picks = 100_000,
): readonly number[] {
  const counts = new Map<C, number>();
  for (let pick = 0; pick < picks; pick++) {
    const chosen = picker.pick(userHash(pick));
    assert.ok(chosen !== undefined);
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
  }
  return candidates.map((candidate) => (counts.get(candidate) ?? 0) / picks);
}

/** Asserts that each share is at most `tolerance` from the expected one. */
export function assertShares(
  shares: readonly number[],
  expected: readonly number[],
  tolerance: number,
): void {
  assert.equal(shares.length, expected.length);
  expected.forEach((share, index) => {
    const error = Math.abs((shares[index] as number) - share);
    assert.ok(error <= tolerance, `share ${index} is ${shares[index]}, expected ${share} ± ${tolerance}`);
  });
}
