// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** What one evaluation may use before it fails. */
export interface ExpressionLimits {
  /** Time of all the expressions of one request together, in milliseconds; default 30, so that none blocks the loop for 50. */
  readonly timeoutMs: number;
  /** Work of all the expressions of one request together: see Guard.tick; default 200,000 steps, which take some 25 ms. */
  readonly steps: number;
  /** Nested calls and sub-expressions; default 200. */
  readonly depth: number;
  /** Items of a sequence, and matches of a regular expression; default 10,000. */
  readonly items: number;
  /** The weight of any one value: characters, items and properties together; default 1 Mi. */
  readonly weight: number;
}

export const DEFAULT_EXPRESSION_LIMITS: ExpressionLimits = {
  timeoutMs: 25,
  steps: 200_000,
  depth: 200,
  items: 10_000,
  weight: 1_048_576,
};
