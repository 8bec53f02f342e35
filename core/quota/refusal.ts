// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome } from "./quota-charge.ts";

/** The quota that refuses a request. */
export interface QuotaRefusal<C> {
  readonly charge: C;
  /** Time until the same request may succeed, in milliseconds; 0 when the store does not tell. */
  readonly retryAfterMs: number;
  /** Set when the store failed and `onStoreFailure: deny` refused: an error, not an exceeded quota. */
  readonly failure?: NonNullable<QuotaOutcome["failure"]>;
  /** True when an operator has blocked the count. */
  readonly blocked?: true;
}

/**
 * The only rule for which quota refused a request, and when to retry: the first enforced charge, in document
 * order, that was not granted in full and has a retry delay. All enforced charges of a refused request have a
 * grant of 0, but those that were given back because of another have a `retryAfterMs` of 0. A store that
 * gives no delay refuses too: then the first charge that was not granted counts. A charge without an outcome
 * is refused.
 *
 * @param outcomes One for each charge, in order.
 */
export function refusalOf<C extends Pick<QuotaCharge, "mode" | "amount">>(
  charges: readonly C[],
  outcomes: readonly Pick<QuotaOutcome, "granted" | "retryAfterMs" | "failure" | "blocked">[],
): QuotaRefusal<C> | undefined {
  let first: number | undefined;
  for (let index = 0; index < charges.length; index++) {
    const { mode, amount } = charges[index] as C;
    const outcome = outcomes[index];
    if (mode !== "enforce" || (outcome !== undefined && !fallsShort(amount, outcome))) continue;
    if (outcome !== undefined && outcome.retryAfterMs > 0) return refusalAt(index);
    first ??= index;
  }
  return first === undefined ? undefined : refusalAt(first);

  function refusalAt(index: number): QuotaRefusal<C> {
    const { retryAfterMs = 0, failure, blocked } = outcomes[index] ?? {};
    const refused = { charge: charges[index] as C, retryAfterMs: Math.ceil(retryAfterMs) };
    if (blocked === true) return { ...refused, blocked };
    return failure?.applied === "deny" ? { ...refused, failure } : refused;
  }
}

/**
 * The same rule for enforced charges of which none is counted: each is refused until its retry delay, or,
 * with a delay of 0, only not taken because another is refused.
 */
export function refusalOfDelays<C>(
  charges: readonly C[],
  retryAfterMs: readonly number[],
): QuotaRefusal<C> | undefined {
  for (let index = 0; index < charges.length; index++) {
    const delayMs = retryAfterMs[index] as number;
    if (delayMs > 0) return { charge: charges[index] as C, retryAfterMs: Math.ceil(delayMs) };
  }
  return undefined;
}

/** Whether less was granted than requested. */
export function fallsShort(amount: number, { granted }: Pick<QuotaOutcome, "granted">): boolean {
  return granted < amount;
}
