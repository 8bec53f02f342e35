// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "./resources/cluster.ts";

/**
 * The number of retries that may be under way to a cluster at once. With a retry budget that is its percentage
 * of the requests under way, rounded down, and at least `minRetryConcurrency`, as in Envoy
 * (source/common/upstream/resource_manager_impl.h).
 *
 * @param activeRequests Number of requests under way to the cluster, those that are retried included.
 */
export function retryLimit(
  { maxRetries, retryBudget }: Pick<Cluster, "maxRetries" | "retryBudget">,
  activeRequests: number,
): number {
  if (retryBudget === undefined) return maxRetries;
  const { percent, minRetryConcurrency } = retryBudget;
  return Math.max(Math.floor((percent * activeRequests) / 100), minRetryConcurrency);
}
