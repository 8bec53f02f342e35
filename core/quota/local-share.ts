// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * What one of `nodes` may admit by itself while nobody counts for all of them (`onStoreFailure: local`), so that an
 * outage does not multiply the limit. At least 1 where the limit is: a limit below the number of nodes would otherwise
 * shut everybody out, so such a one may be exceeded, up to one for each node.
 */
export function localShare(limit: number, nodes: number): number {
  if (limit <= 0) return 0;
  return Math.max(1, Math.floor(limit / Math.max(1, nodes)));
}
