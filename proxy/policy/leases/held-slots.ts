// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge } from "../../../core/quota/quota-charge.ts";

/** An amount of a count, and the slot in which the store counts it. */
export interface SlotGrant {
  readonly slot: number;
  readonly amount: number;
}

/** The slots that one request holds of one count. */
export interface HeldSlots {
  readonly charge: QuotaCharge;
  grants: readonly SlotGrant[];
  /** When the store last counted them anew, on the monotonic clock. */
  renewedMs: number;
  released: boolean;
}
