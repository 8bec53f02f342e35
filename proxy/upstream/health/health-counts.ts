// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CHECK_OUTCOMES, type CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import { EJECTION_REASONS, type EjectionReason } from "../../../core/traffic/health/outlier-monitor.ts";

/** Counts of a cluster's health checks and ejections, across all versions of its settings. */
export interface HealthCounts {
  readonly checks: Record<CheckOutcome, number>;
  readonly ejections: Record<EjectionReason, number>;
  /** Ejections that were left out, because enough endpoints were ejected. */
  readonly ejectionOverflows: Record<EjectionReason, number>;
}

export function newHealthCounts(): HealthCounts {
  return {
    checks: zeros(CHECK_OUTCOMES),
    ejections: zeros(EJECTION_REASONS),
    ejectionOverflows: zeros(EJECTION_REASONS),
  };
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
