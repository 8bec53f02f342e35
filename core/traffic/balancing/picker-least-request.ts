// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import { type Candidate, haveEqualWeights, type Picker } from "./picker.ts";

/**
 * Least request. With equal weights, Envoy's "power of two choices" (Mitzenmacher, 1996): of two random
 * endpoints, the one with fewer active requests, which is nearly as good as comparing all and avoids herding.
 * With unequal weights, an endpoint's probability is proportional to weight ÷ (active + 1).
 */
export function createLeastRequestPicker<C extends Pick<Candidate, "activeRequests">>(
  candidates: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  if (candidates.length < 2) return { pick: () => candidates[0] };
  return haveEqualWeights(weights)
    ? { pick: () => lessBusyOfTwo(candidates, random) }
    : { pick: () => byWeightOverLoad(candidates, weights, random) };
}

function lessBusyOfTwo<C extends Pick<Candidate, "activeRequests">>(
  candidates: readonly C[],
  random: Random,
): C {
  const first = Math.floor(random() * candidates.length);
  // Offset from the first, so that the second is always a different endpoint.
  const offset = 1 + Math.floor(random() * (candidates.length - 1));
  const a = candidates[first] as C;
  const b = candidates[(first + offset) % candidates.length] as C;
  return b.activeRequests < a.activeRequests ? b : a;
}

function byWeightOverLoad<C extends Pick<Candidate, "activeRequests">>(
  candidates: readonly C[],
  weights: readonly number[],
  random: Random,
): C {
  let sum = 0;
  for (let index = 0; index < candidates.length; index++)
    sum += (weights[index] as number) / ((candidates[index] as C).activeRequests + 1);
  let ticket = random() * sum;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as C;
    ticket -= (weights[index] as number) / (candidate.activeRequests + 1);
    if (ticket < 0) return candidate;
  }
  // Rounding may leave a small remainder of the sum.
  return candidates[candidates.length - 1] as C;
}
