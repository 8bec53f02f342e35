// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import type { FaultRule, WeightedDestination } from "./resources/route.ts";

/** Random choices of a route: the destination, and fault injection. */

/** Picks a destination at random, by weight. */
export function chooseDestination<D extends Pick<WeightedDestination, "weight">>(
  destinations: readonly D[],
  random: Random,
): D | undefined {
  if (destinations.length < 2) return destinations[0];
  let sum = 0;
  for (const destination of destinations) sum += destination.weight;
  let ticket = random() * sum;
  for (const destination of destinations) {
    ticket -= destination.weight;
    if (ticket < 0) return destination;
  }
  // Rounding may leave a small remainder of the sum.
  return destinations.findLast(({ weight }) => weight > 0);
}

export interface DrawnFault {
  /** Delay before the request, in milliseconds; 0 for none. */
  readonly delayMs: number;
  /** The reply after the delay; undefined to forward the request. */
  readonly abort: FaultRule["abort"] | undefined;
}

const NO_FAULT: DrawnFault = { delayMs: 0, abort: undefined };

/** Draws the delay and the abort independently, as Envoy does. */
export function drawFault(rule: FaultRule | undefined, random: Random): DrawnFault {
  if (rule === undefined) return NO_FAULT;
  return {
    delayMs: rule.delay !== undefined && strikes(rule.delay.percentage, random) ? rule.delay.delayMs : 0,
    abort: rule.abort !== undefined && strikes(rule.abort.percentage, random) ? rule.abort : undefined,
  };
}

/** Draws whether something with this percentage happens. */
export function strikes(percentage: number, random: Random): boolean {
  return random() * 100 < percentage;
}
