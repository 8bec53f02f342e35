// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createCollectingLogger, metricInstance } from "../../../plugins/sdk/testing/index.ts";
import { SelfMetrics } from "../self-metrics.ts";
import { hrTimeOf } from "../time.ts";
import { MetricStore } from "./metric-store.ts";

describe("the store of metrics", () => {
  it("has no point that ends before it starts, when the clock is set back", () => {
    let nowMs = 1_000_000;
    const store = new MetricStore({
      clock: { nowMs: () => nowMs, monotonicMs: () => 0 },
      logger: createCollectingLogger(),
      self: new SelfMetrics("otel"),
      expireAfterMs: undefined,
      maxSeries: 10,
      exemplars: false,
      histogram: { kind: "explicit", maxScale: 20, maxBuckets: 160 },
    });
    const times = (): unknown[] =>
      store
        .collect()
        .flatMap((batch) =>
          batch
            .data()
            .flatMap(({ dataPoints }) => dataPoints.map(({ startTime, endTime }) => [startTime, endTime])),
        );
    store.record(metricInstance({ name: "before", labels: {} }));
    nowMs = 1_060_000;
    assert.deepEqual(times(), [[hrTimeOf(1_000_000), hrTimeOf(1_060_000)]]);
    nowMs = 700_000;
    store.record(metricInstance({ name: "after", labels: {} }));
    const [back, later] = [hrTimeOf(700_000), hrTimeOf(760_000)];
    assert.deepEqual(times(), [
      [back, back],
      [back, back],
    ]);
    nowMs = 760_000;
    assert.deepEqual(times(), [
      [back, later],
      [back, later],
    ]);
  });
});
