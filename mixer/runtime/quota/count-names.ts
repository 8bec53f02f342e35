// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MAX_ADJUSTED_CELL, type QuotaKey } from "../../../api/quota-operations.ts";
import { cellName, isCellOf } from "../../../core/quota/cell-name.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { suggest } from "../../../kernel/suggest.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";

/**
 * The QuotaPolicy of a name.
 *
 * @throws {PurserError} PURSER_NOT_FOUND.
 */
export function policyOf(
  { quotaPolicies }: Pick<ActiveSnapshot, "quotaPolicies">,
  name: string,
): QuotaPolicy {
  const policy = quotaPolicies.get(name);
  if (policy !== undefined) return policy;
  const near = suggest(name, quotaPolicies.keys());
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw new PurserError("PURSER_NOT_FOUND", `there is no QuotaPolicy ${name} in force${hint}`);
}

/** The policies to show: the one that is named, or all in document order; with a key, only those that have its names. */
export function policiesFor(
  active: Pick<ActiveSnapshot, "quotaPolicies">,
  { policy: name, key }: { readonly policy?: string | undefined; readonly key?: QuotaKey | undefined },
): readonly QuotaPolicy[] {
  if (name !== undefined) {
    const policy = policyOf(active, name);
    if (key !== undefined) assertKeyOf(policy, key);
    return [policy];
  }
  const all = [...active.quotaPolicies.values()];
  return key === undefined ? all : all.filter((policy) => strangeName(policy, key) === undefined);
}

/**
 * The name of the count that a command is about.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID for a key that the policy cannot have.
 */
export function cellOfKey(policy: QuotaPolicy, key: QuotaKey): string {
  assertKeyOf(policy, key);
  const cell = cellName(policy, key);
  if (cell.length > MAX_ADJUSTED_CELL)
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `the name of the count has more than ${MAX_ADJUSTED_CELL} characters`,
    );
  return cell;
}

/** The key of a count; undefined for a count that several keys share. */
export function keyOfCell(policy: QuotaPolicy, cell: string): QuotaKey | undefined {
  if (!isCellOf(policy, cell)) return undefined;
  try {
    return JSON.parse(cell.slice(policy.name.length)) as QuotaKey;
  } catch {
    return undefined;
  }
}

function assertKeyOf(policy: QuotaPolicy, key: QuotaKey): void {
  const strange = strangeName(policy, key);
  if (strange === undefined) return;
  const names = policy.key.map(([name]) => name);
  const has = names.length === 0 ? "has no key" : `has the key ${names.join(", ")}`;
  throw new PurserError("PURSER_REQUEST_INVALID", `QuotaPolicy ${policy.name} ${has}, and no ${strange}`);
}

function strangeName(policy: QuotaPolicy, key: QuotaKey): string | undefined {
  return Object.keys(key).find((name) => !policy.key.some(([known]) => known === name));
}
