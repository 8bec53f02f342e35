// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { Candidate, Picker } from "./picker.ts";
import { createLeastRequestPicker } from "./picker-least-request.ts";
import { createRandomPicker } from "./picker-random.ts";
import { createRoundRobinPicker } from "./picker-round-robin.ts";

/** The picker for a cluster's load-balancing policy. */
export function createPicker<C extends Candidate>(
  loadBalancer: Cluster["loadBalancer"],
  candidates: readonly C[],
  random: Random,
): Picker<C> {
  switch (loadBalancer) {
    case "round-robin":
      return createRoundRobinPicker(candidates, random);
    case "least-request":
      return createLeastRequestPicker(candidates, random);
    case "random":
      return createRandomPicker(candidates, random);
  }
}

/** Maximum number of picks to find an endpoint that was not tried yet, as Istio sets in Envoy. */
const AVOIDING_ATTEMPTS = 5;

/**
 * Picks for a retry: avoids endpoints where the request failed before, unless a few picks find no other.
 *
 * @param tried Endpoints where the request failed.
 */
export function pickAvoiding<C>(picker: Picker<C>, tried: readonly C[]): C | undefined {
  let choice = picker.pick();
  for (let attempt = 1; attempt < AVOIDING_ATTEMPTS && choice !== undefined; attempt++) {
    if (!tried.includes(choice)) return choice;
    choice = picker.pick();
  }
  return choice;
}
