// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Random } from "../../../kernel/ports.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { ClusterLoadAssignment } from "../resources/endpoint.ts";
import type { LoadBalancer } from "../resources/load-balancer.ts";
import { groupedBy } from "./grouped-by.ts";
import { type Candidate, type Picker, weightsOf } from "./picker.ts";
import { createLeastRequestPicker } from "./picker-least-request.ts";
import { createLocalityPicker, localityScaledWeights } from "./picker-locality.ts";
import { createMaglevPicker } from "./picker-maglev.ts";
import { createPriorityPicker } from "./picker-priority.ts";
import { createRandomPicker } from "./picker-random.ts";
import { createRingHashPicker } from "./picker-ring-hash.ts";
import { createRoundRobinPicker } from "./picker-round-robin.ts";
import { priorityLoads } from "./priority-load.ts";
import { createSlowStartPicker } from "./slow-start.ts";

/** A cluster's settings for balancing. */
export interface BalancingSettings
  extends Pick<Cluster, "loadBalancer">,
    Pick<ClusterLoadAssignment, "localityWeights"> {
  /** Percentage of healthy endpoints of a priority below which its requests go to all of them; default 0: never. */
  readonly panicThresholdPercent?: number;
}

export interface BalancingPorts {
  readonly random: Random;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * The picker for a cluster's load-balancing policy and its endpoints with their present health. A request is
 * given a priority first, then a locality if localities have weights, then an endpoint by the policy.
 */
export function createPicker<C extends Candidate>(
  settings: BalancingSettings,
  candidates: readonly C[],
  ports: BalancingPorts,
): Picker<C> {
  const groups = byPriority(candidates);
  const loads = priorityLoads(
    groups.map((group) => ({ total: group.length, healthy: group.filter(isHealthy).length })),
    settings.panicThresholdPercent ?? 0,
  );
  const parts = groups.flatMap((group, index) => {
    const load = loads[index];
    return load === undefined || load.share === 0
      ? []
      : [{ share: load.share, picker: createGroupPicker(settings, group, load.panic, ports) }];
  });
  return createPriorityPicker(parts, ports.random);
}

/** The picker for endpoints of one priority. Envoy's rule: in panic, localities have no weights. */
function createGroupPicker<C extends Candidate>(
  { loadBalancer, localityWeights }: BalancingSettings,
  group: readonly C[],
  panic: boolean,
  ports: BalancingPorts,
): Picker<C> {
  if (panic) return createPolicyPicker(loadBalancer, group, weightsOf(group), ports);
  const healthy = group.every(isHealthy) ? group : group.filter(isHealthy);
  if (localityWeights === undefined)
    return createPolicyPicker(loadBalancer, healthy, weightsOf(healthy), ports);
  // Consistent hashing has one table for all localities, so that the hash alone decides.
  if ("hashOn" in loadBalancer) {
    const weights = localityScaledWeights(group, healthy, localityWeights);
    return createPolicyPicker(loadBalancer, healthy, weights, ports);
  }
  const create = (members: readonly C[]): Picker<C> =>
    createPolicyPicker(loadBalancer, members, weightsOf(members), ports);
  return createLocalityPicker(group, healthy, localityWeights, create, ports.random);
}

/** @param weights Of the candidates, in their order; above 0. Slow start uses the candidates' own. */
function createPolicyPicker<C extends Candidate>(
  loadBalancer: LoadBalancer,
  candidates: readonly C[],
  weights: readonly number[],
  { random, clock }: BalancingPorts,
): Picker<C> {
  switch (loadBalancer.kind) {
    case "round-robin":
    case "least-request": {
      const { kind, slowStart } = loadBalancer;
      const create = kind === "round-robin" ? createRoundRobinPicker : createLeastRequestPicker;
      return slowStart === undefined
        ? create(candidates, weights, random)
        : createSlowStartPicker(slowStart, candidates, clock, (grown) => create(candidates, grown, random));
    }
    case "random":
      return createRandomPicker(candidates, weights, random);
    case "ring-hash":
      return createRingHashPicker(candidates, weights, loadBalancer.minimumRingSize, random);
    case "maglev":
      return createMaglevPicker(candidates, weights, loadBalancer.tableSize, random);
  }
}

function isHealthy({ healthy }: Candidate): boolean {
  return healthy;
}

/** The candidates of each priority, the first priority first; one empty group when there are none. */
function byPriority<C extends Candidate>(candidates: readonly C[]): readonly (readonly C[])[] {
  if (candidates.every(({ priority }) => priority === candidates[0]?.priority)) return [candidates];
  const groups = groupedBy(candidates, ({ priority }) => priority);
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}

/**
 * Maximum number of picks to find an endpoint that was not tried yet. Istio sets 5 in Envoy; but five neighbours on the
 * ring belong to one of four endpoints for one value in 256, whose requests would then be retried at the dead one again.
 */
const AVOIDING_ATTEMPTS = 32;

/**
 * Picks for a retry: avoids endpoints where the request failed before, unless a few picks find no other.
 *
 * @param tried Endpoints where the request failed.
 * @param hash As for `Picker.pick`.
 */
export function pickAvoiding<C>(picker: Picker<C>, tried: readonly C[], hash?: number): C | undefined {
  let choice = picker.pick(hash, 0);
  for (let attempt = 1; attempt < AVOIDING_ATTEMPTS && choice !== undefined; attempt++) {
    if (!tried.includes(choice)) return choice;
    choice = picker.pick(hash, attempt);
  }
  return choice;
}
