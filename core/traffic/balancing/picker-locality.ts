// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import { groupedBy } from "./grouped-by.ts";
import type { Candidate, Picker } from "./picker.ts";
import { createRoundRobinPicker } from "./picker-round-robin.ts";
import { availability } from "./priority-load.ts";

type LocalityWeights = Readonly<Record<string, number>>;

/**
 * Locality-weighted balancing, as in Envoy: a locality's share is its weight × its availability, so that a
 * locality with too few healthy endpoints leaves requests to the others.
 *
 * @param all All endpoints of a priority.
 * @param healthy The healthy ones of them.
 * @param create The picker within a locality.
 */
export function createLocalityPicker<C extends Candidate>(
  all: readonly C[],
  healthy: readonly C[],
  localityWeights: LocalityWeights,
  create: (members: readonly C[]) => Picker<C>,
  random: Random,
): Picker<C> {
  const shares = localityShares(all, healthy, localityWeights);
  const pickers = shares.map(({ members }) => create(members));
  const turns = createRoundRobinPicker(
    pickers,
    shares.map(({ share }) => share),
    random,
  );
  return { pick: () => turns.pick()?.pick() };
}

/**
 * The weights of the healthy endpoints that give each locality its share, for consistent hashing.
 *
 * @returns In the order of `healthy`.
 */
export function localityScaledWeights<C extends Candidate>(
  all: readonly C[],
  healthy: readonly C[],
  localityWeights: LocalityWeights,
): readonly number[] {
  const scales = new Map(
    localityShares(all, healthy, localityWeights).map(({ locality, share, members }) => {
      const sum = members.reduce((total, { weight }) => total + weight, 0);
      return [locality, share / sum] as const;
    }),
  );
  return healthy.map(({ locality, weight }) => weight * (scales.get(locality) ?? 0));
}

/** The localities with a healthy endpoint. */
function localityShares<C extends Candidate>(
  all: readonly C[],
  healthy: readonly C[],
  localityWeights: LocalityWeights,
): readonly { readonly locality: string; readonly share: number; readonly members: readonly C[] }[] {
  const everyone = groupedBy(all, ({ locality }) => locality);
  return [...groupedBy(healthy, ({ locality }) => locality)].map(([locality, members]) => {
    const total = everyone.get(locality)?.length ?? 0;
    const weight = localityWeights[locality] ?? 1;
    return { locality, members, share: weight * availability({ total, healthy: members.length }) };
  });
}
