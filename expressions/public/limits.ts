// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Limits } from "../limits.ts";

/** The limits of an evaluation, unless its options say otherwise: no expression of JSONata's own suite exceeds them. */
export const DEFAULT_LIMITS: Limits = {
  depth: undefined,
  /** Some two seconds. */
  steps: 20_000_000,
  /** The most that JSONata's ranges have. */
  sequence: 10_000_000,
  weight: 64 * 1_048_576,
  timeMs: undefined,
};
