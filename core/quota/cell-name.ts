// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaAlgorithm } from "./quota.ts";

/** What a cell's name says of its policy. */
export interface CellPolicy {
  /** The display name. */
  readonly name: string;
  readonly algorithm: QuotaAlgorithm;
}

/**
 * The name of one count: the policy's display name, then the key's values as JSON with their names in order. Different
 * policies, names or values never give the same text: a display name holds no `{`, and JSON keeps strings apart from
 * numbers. A value that is absent is left out, which also differs from every value that is there.
 *
 * @param limit The one in effect. It is part of a token bucket's name, because it is the bucket's size and refill: one
 *   bucket with two sizes keeps the promise of neither. A window counts use, and any limit can be held against that.
 */
export function cellName(policy: CellPolicy, key: Readonly<Record<string, unknown>>, limit: number): string {
  const names = Object.keys(key);
  if (names.length > 1) names.sort();
  let members = "";
  for (const name of names) {
    const value = JSON.stringify(key[name]) as string | undefined;
    if (value === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  }
  return `${policy.name}{${members}${ending(policy, limit)}`;
}

/** Whether `cell` may be one that the policy counts in under that limit: the key's values are anybody's guess. */
export function isCellOf(policy: CellPolicy, limit: number, cell: string): boolean {
  return cell.startsWith(`${policy.name}{`) && cell.endsWith(ending(policy, limit));
}

function ending({ algorithm }: CellPolicy, limit: number): string {
  return algorithm === "token-bucket" ? `}@${limit}` : "}";
}
