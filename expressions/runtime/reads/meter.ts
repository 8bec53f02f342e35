// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The work that evaluations have used so far. Evaluations that share a meter share the limits of steps and time. */
export interface Meter {
  steps: number;
  /** Milliseconds that were measured; the first steps of an evaluation are not. */
  workMs: number;
}
