// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../../kernel/ports.ts";
import type { SlowStart } from "../resources/load-balancer.ts";
import { type Candidate, type Picker, weightsOf } from "./picker.ts";

/** Envoy counts the first second as a whole one, so that a new endpoint gets some requests at once. */
const MINIMUM_AGE_MS = 1_000;

/**
 * Envoy's factor for a new endpoint's weight: (age ÷ window)^(1 ÷ aggression), with an age of at least 1 s, and
 * never below the minimum. 1 once the window is over.
 */
export function slowStartFactor({ windowMs, aggression, minimumPercent }: SlowStart, ageMs: number): number {
  if (ageMs >= windowMs) return 1;
  const age = Math.min(1, Math.max(ageMs, MINIMUM_AGE_MS) / windowMs);
  return Math.max(minimumPercent / 100, age ** (1 / aggression));
}

/** Number of times in a window that weights are computed anew. */
const STEPS = 128;

/** Endpoints with the weights that they have at a moment. */
type CreateWeighted<C> = (weights: readonly number[]) => Picker<C>;

/**
 * A picker whose endpoints' weights grow while they are new: `create` makes a picker of the weights at the
 * time, at most STEPS times a window, and once more when no endpoint is new.
 */
export function createSlowStartPicker<C extends Pick<Candidate, "weight" | "readySinceMs">>(
  settings: SlowStart,
  candidates: readonly C[],
  clock: Pick<Clock, "monotonicMs">,
  create: CreateWeighted<C>,
): Picker<C> {
  const weights = weightsOf(candidates);
  const readySince = candidates.map(({ readySinceMs }) => readySinceMs);
  const endMs = readySince.reduce((last, ms) => Math.max(last, ms), -Infinity) + settings.windowMs;
  let picker = create(weights);
  let warming = candidates.length > 1;
  let nextMs = -Infinity;

  function refresh(nowMs: number): void {
    warming = nowMs < endMs;
    nextMs = nowMs + settings.windowMs / STEPS;
    picker = create(
      weights.map((weight, index) => {
        return weight * slowStartFactor(settings, nowMs - (readySince[index] as number));
      }),
    );
  }

  return {
    pick() {
      if (warming) {
        const nowMs = clock.monotonicMs();
        if (nowMs >= nextMs) refresh(nowMs);
      }
      return picker.pick();
    },
  };
}
