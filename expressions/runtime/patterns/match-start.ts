// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The offset at which a regular expression begins to search: the second value of a call, which `$sift`, `$each`, `$sort` and
 * authors give. Any value may come; it is read as RegExp reads its `lastIndex` (ECMAScript, ToLength), as the reference does.
 */
export function matchStart(from: unknown): number {
  if (from === undefined || typeof from === "object" || typeof from === "function") return 0;
  const index = Math.trunc(Number(from));
  return index > 0 ? index : 0;
}
