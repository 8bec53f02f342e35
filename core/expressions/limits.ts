// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Limits } from "../../expressions/limits.ts";

/** The limits of one evaluation for a request. All the expressions of the request share the steps and the time. */
export const REQUEST_LIMITS: Limits = {
  depth: 200,
  /** Some 25 ms. */
  steps: 200_000,
  sequence: 10_000,
  weight: 1_048_576,
  /** Half of the 50 ms that a request may block the loop for. */
  timeMs: 25,
};

/** The limits of an expression's source in a document. */
export const SOURCE_LIMITS = {
  characters: 65_536,
  tokens: 2_048,
  depth: 128,
  patterns: 32,
  defaults: 16,
  copies: 2_048,
} as const;
