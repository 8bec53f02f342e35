// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The work that evaluations have used so far. Evaluations with the same meter share the limits of steps and
 * time.
 */
export interface Meter {
  steps: number;
  /** Milliseconds measured so far, without the first steps of each evaluation. */
  workMs: number;
}
