// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter } from "./counter.ts";
import { fixedWindow } from "./fixed-window.ts";
import type { QuotaAlgorithm } from "../quota-definition.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** The counter of each algorithm. */
export const QUOTA_COUNTERS: Readonly<Record<QuotaAlgorithm, QuotaCounter<unknown>>> = {
  "fixed-window": fixedWindow,
  "sliding-window": slidingWindow,
  "token-bucket": tokenBucket,
};
