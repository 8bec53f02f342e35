// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The part of a limit that one of `nodes` may admit while the common store is unavailable (`onStoreFailure:
 * local`), so that an outage does not multiply the limit. At least 1 if the limit is: a limit below the
 * number of nodes would otherwise refuse everything, so it may be exceeded, up to one for each node.
 */
export function localShare(limit: number, nodes: number): number {
  if (limit <= 0) return 0;
  return Math.max(1, Math.floor(limit / Math.max(1, nodes)));
}
