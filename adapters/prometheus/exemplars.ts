// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exemplar, MetricInstance } from "../../plugins/sdk/index.ts";

const LABEL_NAMES = ["trace_id", "span_id"];

/** An exemplar stays for so long: a scrape sees one of each series, and each new one costs a copy of its ids. */
const KEEP_MS = 1_000;

/** OpenMetrics allows 128 characters for an exemplar's labels with their names. */
const MAX_LENGTH = 128 - LABEL_NAMES.join("").length;

/** The exemplar of an instance; undefined when it has none, or when the one before is to stay. */
export function exemplarOf(
  { exemplar, value, timestampMs }: MetricInstance,
  before: Exemplar | undefined,
): Exemplar | undefined {
  if (exemplar === undefined || (before !== undefined && timestampMs - before.timestampMs < KEEP_MS)) return;
  const { traceId, spanId } = exemplar;
  if (traceId.length + spanId.length > MAX_LENGTH) return;
  // Copies, because the ids may be parts of a request's head, which they would keep in memory.
  const labels = [traceId, spanId].map((id) => Array.from(id).join(""));
  return { labelNames: LABEL_NAMES, labels, value, timestampMs };
}
