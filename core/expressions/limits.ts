// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Limits } from "../../expressions/limits.ts";

/** Limits of one evaluation for a request. All expressions of the request share the steps and the time. */
export const REQUEST_LIMITS: Limits = {
  depth: 200,
  /** About 25 ms. */
  steps: 200_000,
  sequence: 10_000,
  weight: 1_048_576,
  /** Half of the 50 ms for which a request may block the event loop. */
  timeMs: 25,
};

/** Limits of an expression's source in a document. */
export const SOURCE_LIMITS = {
  characters: 65_536,
  tokens: 2_048,
  depth: 128,
  patterns: 32,
  defaults: 16,
  copies: 2_048,
} as const;
