// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Limits } from "../limits.ts";

/** Default limits of an evaluation: no expression of JSONata's own test suite exceeds them. */
export const DEFAULT_LIMITS: Limits = {
  depth: undefined,
  /** About two seconds. */
  steps: 20_000_000,
  /** The largest range of JSONata. */
  sequence: 10_000_000,
  weight: 64 * 1_048_576,
  timeMs: undefined,
};
