// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { allocation } from "./allocation.ts";
import { calendarPeriod } from "./calendar-period.ts";
import type { QuotaCounter } from "./counter.ts";
import type { CounterKind } from "./counter-kind.ts";
import { firstUseWindow } from "./first-use-window.ts";
import { fixedWindow } from "./fixed-window.ts";
import { slidingLog } from "./sliding-log.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** The counter of each kind. */
export const QUOTA_COUNTERS: Readonly<Record<CounterKind, QuotaCounter<unknown>>> = {
  "fixed-window": fixedWindow,
  "first-use-window": firstUseWindow,
  "calendar-period": calendarPeriod,
  "sliding-window": slidingWindow,
  "sliding-log": slidingLog,
  "token-bucket": tokenBucket,
  allocation,
};
