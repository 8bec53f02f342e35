// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutlierDetectionSpec } from "../../core/documents/kinds/outlier-detection-fields.ts";
import type { OutlierDetection } from "../../core/traffic/resources/outlier-detection.ts";
import { parseDurationMs } from "../../kernel/duration.ts";

/** Outlier detection with Istio's defaults; undefined without any. */
export function outlierDetectionOf(spec: OutlierDetectionSpec | undefined): OutlierDetection | undefined {
  if (spec === undefined) return undefined;
  return {
    consecutive5xxErrors: spec.consecutive5xxErrors ?? 5,
    consecutiveGatewayErrors: spec.consecutiveGatewayErrors ?? 0,
    splitExternalLocalOriginErrors: spec.splitExternalLocalOriginErrors ?? false,
    consecutiveLocalOriginFailures: spec.consecutiveLocalOriginFailures ?? 5,
    intervalMs: parseDurationMs(spec.interval ?? "") ?? 10_000,
    baseEjectionMs: parseDurationMs(spec.baseEjectionTime ?? "") ?? 30_000,
    maxEjectionPercent: spec.maxEjectionPercent ?? 10,
    minHealthPercent: spec.minHealthPercent ?? 0,
  };
}
