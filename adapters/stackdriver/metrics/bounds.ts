// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../../../plugins/sdk/index.ts";

/** Maximum number of buckets of a distribution (cloud.google.com/monitoring/quotas). */
const MAX_BUCKETS = 200;

/** Powers of two from 1 ms to 65.5 s, for a latency in seconds. */
const SECONDS = Array.from({ length: 17 }, (_, power) => 2 ** power / 1000);
/** Powers of four from 64 bytes to 16 MiB. */
const BYTES = Array.from({ length: 10 }, (_, power) => 64 * 4 ** power);

/**
 * Bounds of a distribution's explicit buckets, ascending. There is one bucket more than bounds: one below the first, one
 * from the last. Too many bounds are thinned evenly; the first and the last stay.
 */
export function bucketBounds({ buckets, unit }: Pick<MetricInstance, "buckets" | "unit">): readonly number[] {
  const given = (buckets ?? []).filter((bound) => Number.isFinite(bound));
  const bounds = [...new Set(given)].toSorted((a, b) => a - b);
  if (bounds.length === 0) return defaultBounds(unit);
  const most = MAX_BUCKETS - 1;
  if (bounds.length <= most) return bounds;
  const step = (bounds.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => bounds[Math.round(index * step)] as number);
}

function defaultBounds(unit: string | undefined): readonly number[] {
  switch (unit) {
    case "ms":
    case "milliseconds":
      return SECONDS.map((bound) => bound * 1000);
    case "By":
    case "bytes":
      return BYTES;
    default:
      return SECONDS;
  }
}
