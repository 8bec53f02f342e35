// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Envoy's overprovisioning factor of 140 %: a group of endpoints counts as able to take all of its requests
 * as long as at least 1 ÷ 1.4 = 71.4 % of it is healthy.
 */
const OVERPROVISIONING = 1.4;

/** The endpoints of a priority or of a locality, counted. */
export interface GroupHealth {
  readonly total: number;
  readonly healthy: number;
}

export interface PriorityLoad {
  /** Share of all requests; the shares sum to 1. */
  readonly share: number;
  /** Whether the priority's requests go to all of its endpoints, whatever their health. */
  readonly panic: boolean;
}

/** How much of its usual requests a group takes, from 0 to 1. */
export function availability({ total, healthy }: GroupHealth): number {
  return total === 0 ? 0 : Math.min(1, (OVERPROVISIONING * healthy) / total);
}

/**
 * The share of each priority, as in Envoy ("Priority levels", "Panic threshold"), but without its rounding to
 * whole percents. A priority takes requests by its availability, and the next one the rest; if all together
 * are less than available, they share all requests in proportion. A priority with a smaller share of healthy
 * endpoints than the threshold is then in panic. If every priority is, they share by their numbers of
 * endpoints.
 *
 * @param priorities In order, the first first; at least one.
 * @param panicThresholdPercent 0 to 100; 0 for no panic.
 */
export function priorityLoads(
  priorities: readonly GroupHealth[],
  panicThresholdPercent: number,
): readonly PriorityLoad[] {
  const available = priorities.map(availability);
  const sum = Math.min(1, total(available));
  const panics = priorities.map((group) => sum < 1 && isInPanic(group, panicThresholdPercent));
  if (panics.every(Boolean)) {
    const endpoints = total(priorities.map((group) => group.total));
    return priorities.map((group) => ({ share: group.total / endpoints, panic: true }));
  }
  // Nothing is available and nothing panics: the first priority has the requests, which it cannot serve.
  if (sum === 0) return priorities.map((_, index) => ({ share: index === 0 ? 1 : 0, panic: false }));
  let left = 1;
  return available.map((each, index) => {
    const share = Math.min(left, each / sum);
    left -= share;
    return { share, panic: panics[index] as boolean };
  });
}

/** Envoy's rule: strictly below the threshold, and an empty group never. */
function isInPanic({ total: count, healthy }: GroupHealth, thresholdPercent: number): boolean {
  return count > 0 && (100 * healthy) / count < thresholdPercent;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
