// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { DEFAULT_REDACTED_PATHS, Redaction } from "../explain/redaction.ts";
import type { ChargedBeyond } from "../quota/beyond/charge-beyond.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { refusalOf } from "../quota/refusal.ts";
import { quotaOfStanding, type QuotaStanding, standingOf } from "../quota/standing.ts";

/** The state of one quota right after the request of a step was charged, or refused. */
export interface StepQuota extends QuotaStanding, Pick<QuotaCharge, "cell" | "amount" | "mode"> {
  /** The amount in use: the limit without what remains. */
  readonly used: number;
  /** True for the quota that refused the request; absent for all others. */
  readonly refuses?: true;
}

/** The quotas of a request, in document order; a quota that a step of `beyond` replaced has an amount of 0. */
export function stepQuotas(
  { charges, outcomes }: Pick<ChargedBeyond, "charges" | "outcomes">,
  bag: AttributeBag,
): readonly StepQuota[] {
  const refusal = refusalOf(charges, outcomes);
  const redaction = new Redaction(bag, DEFAULT_REDACTED_PATHS);
  return outcomes.flatMap((outcome, index) => {
    const charge = charges[index];
    if (charge === undefined) return [];
    const { cell, amount, mode } = charge;
    const standing = standingOf(quotaOfStanding(charge), outcome);
    return {
      ...standing,
      cell: redaction.clean(cell),
      amount,
      mode,
      used: standing.limit - standing.remaining,
      ...(refusal?.charge === charge ? { refuses: true as const } : {}),
    };
  });
}
