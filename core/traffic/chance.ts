// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import type { FaultRule, WeightedDestination } from "./resources/route.ts";

/** What a route leaves to chance: which destination, and whether a fault strikes. */

/** One of the destinations, each as likely as its share of the weights' sum. */
export function chooseDestination(
  destinations: readonly WeightedDestination[],
  random: Random,
): WeightedDestination | undefined {
  if (destinations.length < 2) return destinations[0];
  let sum = 0;
  for (const destination of destinations) sum += destination.weight;
  let ticket = random() * sum;
  for (const destination of destinations) {
    ticket -= destination.weight;
    if (ticket < 0) return destination;
  }
  // Rounding may leave a crumb of the sum.
  return destinations.findLast(({ weight }) => weight > 0);
}

export interface DrawnFault {
  /** How long to hold the request; 0 for not at all. */
  readonly delayMs: number;
  /** What to answer after the delay; undefined to go on. */
  readonly abortStatus: number | undefined;
}

const NO_FAULT: DrawnFault = { delayMs: 0, abortStatus: undefined };

/** Draws for the delay and the abort independently, as Envoy does. */
export function drawFault(rule: FaultRule | undefined, random: Random): DrawnFault {
  if (rule === undefined) return NO_FAULT;
  return {
    delayMs: rule.delay !== undefined && strikes(rule.delay.percentage, random) ? rule.delay.delayMs : 0,
    abortStatus:
      rule.abort !== undefined && strikes(rule.abort.percentage, random) ? rule.abort.status : undefined,
  };
}

function strikes(percentage: number, random: Random): boolean {
  return random() * 100 < percentage;
}
