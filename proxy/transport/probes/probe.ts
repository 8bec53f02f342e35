// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { Cancel } from "../../../kernel/ports.ts";

/** The `user-agent` of checks. */
export const USER_AGENT = "purser-health-check";

/**
 * Checks one endpoint, one check at a time. A probe has no deadline of its own: the caller cancels a check that
 * takes too long.
 */
export interface Probe {
  /**
   * Starts a check. `onDone` is called once, after this call has returned, and never after the returned
   * cancellation.
   */
  check(onDone: (outcome: CheckOutcome) => void): Cancel;
  /** Closes the connection that is kept for further checks. No check may be under way. */
  close(): void;
}
