// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Registry } from "prom-client";
import { prometheus } from "../../adapters/prometheus/index.ts";
import type { MetricInstance } from "../../core/templates/instances.ts";
import { createTestContext } from "../../plugins/sdk/testing/index.ts";
import { median, rounded } from "../proxy/load/statistics.ts";
import { type Count, otelCounter } from "./otel-counter.ts";

/** The times of one increment of a counter with four labels. */
export interface Increments {
  /** The median of the rounds, in nanoseconds, by contender. */
  readonly ns: Readonly<Record<string, number>>;
  /** The reason for each contender that cannot run. */
  readonly missing: Readonly<Record<string, string>>;
}

/** Name of the contender that the bar is about. */
export const ADAPTER = "prometheus";

/** As many instances as a delivery sends at once by default. */
const BATCH = 100;
const BATCHES = 40;
const ROUNDS = 30;

const LABELS = {
  source: ["web", "ios", "android", "batch", "cron"],
  destination: Array.from({ length: 10 }, (_, index) => `service-${index}`),
  method: ["GET", "POST"],
  code: ["200", "201", "404", "503"],
};

/** Takes a batch. */
type Run = (batch: readonly MetricInstance[]) => void;

/** Times one increment of 400 series in random order, for the adapter, prom-client and the OpenTelemetry SDK by turns. */
export function measureIncrements(): Increments {
  const batches = createBatches();
  const otel = otelCounter("requests_total");
  const contenders: readonly [string, Run][] = [
    [ADAPTER, ourCounter()],
    ["prom-client", eachLabels(promClientCounter())],
    ...("missing" in otel ? [] : [["opentelemetry", eachLabels(otel)] as [string, Run]]),
  ];
  const samples = new Map(contenders.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of contenders) {
      // Each turn warms the caches of the processor before it is timed.
      for (const batch of batches) run(batch);
      const startMs = performance.now();
      for (let turn = 0; turn < 5; turn++) for (const batch of batches) run(batch);
      samples.get(name)?.push(((performance.now() - startMs) * 1e6) / (5 * BATCH * BATCHES));
    }
  }
  return {
    ns: Object.fromEntries([...samples].map(([name, times]) => [name, rounded(median(times), 1)])),
    missing: "missing" in otel ? { opentelemetry: otel.missing } : {},
  };
}

function createBatches(): readonly (readonly MetricInstance[])[] {
  let seed = 1;
  const pick = (values: readonly string[]): string => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return values[(seed >> 8) % values.length] as string;
  };
  const instance = (): MetricInstance => ({
    name: "requests_total",
    type: "counter",
    value: 1,
    labels: {
      source: pick(LABELS.source),
      destination: pick(LABELS.destination),
      method: pick(LABELS.method),
      code: pick(LABELS.code),
    },
    timestampMs: 0,
  });
  return Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, instance));
}

function ourCounter(): Run {
  const handler = prometheus.build(createTestContext(prometheus));
  const { signal } = new AbortController();
  return (batch) => void handler.metric?.(batch, { signal });
}

function promClientCounter(): Count {
  const counter = new Counter({
    name: "requests_total",
    help: "Requests.",
    labelNames: Object.keys(LABELS),
    registers: [new Registry()],
  });
  return (labels) => counter.inc(labels);
}

function eachLabels(count: Count): Run {
  return (batch) => {
    for (const { labels } of batch) count(labels);
  };
}
