// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricType } from "./instances.ts";

/** The type of a metric that a Rule fills, from its parameter `type`: a counter, unless the value is `gauge` or `histogram`. */
export function metricTypeOf(value: unknown): MetricType {
  return value === "gauge" || value === "histogram" ? value : "counter";
}
