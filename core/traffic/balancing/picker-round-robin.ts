// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import { haveEqualWeights, type Picker } from "./picker.ts";

/** Round robin from a random start, so that proxies do not all begin with the same endpoint. */
export function createRoundRobinPicker<C>(
  candidates: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  if (candidates.length < 2) return { pick: () => candidates[0] };
  return haveEqualWeights(weights) ? cycle(candidates, random) : strides(candidates, weights, random);
}

function cycle<C>(candidates: readonly C[], random: Random): Picker<C> {
  let next = Math.floor(random() * candidates.length);
  return {
    pick() {
      const choice = candidates[next];
      next = (next + 1) % candidates.length;
      return choice;
    },
  };
}

const STRIDE = 65_535;

/**
 * Static stride scheduling, gRPC's algorithm for weighted round robin (gRFC A58). In each round an endpoint
 * is picked or skipped, so that of STRIDE rounds it is picked in a number given by its weight scaled to
 * STRIDE, evenly spread. The heaviest endpoint is picked in every round, so a pick examines each endpoint at
 * most once or twice.
 */
function strides<C>(candidates: readonly C[], weights: readonly number[], random: Random): Picker<C> {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const scaled = weights.map((weight) => Math.max(1, Math.round((weight / heaviest) * STRIDE)));
  // Different phases keep endpoints with equal weights from being skipped in the same rounds.
  const phases = candidates.map((_, index) => index * Math.floor(STRIDE / 2));
  let index = Math.floor(random() * candidates.length);
  let round = Math.floor(random() * STRIDE);
  return {
    pick() {
      for (;;) {
        const at = index;
        const position = ((scaled[at] as number) * round + (phases[at] as number)) % STRIDE;
        index = (index + 1) % candidates.length;
        if (index === 0) round = (round + 1) % STRIDE;
        if (position + (scaled[at] as number) >= STRIDE) return candidates[at];
      }
    },
  };
}
