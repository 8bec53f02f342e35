// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { addProcessMetrics } from "./process-metrics.ts";

describe("the metrics of a process", () => {
  it("show the longest hold of the event loop since the last scrape, and begin anew", async () => {
    const registry = new Registry();
    addProcessMetrics(registry);
    const valueOf = async (name: string): Promise<number> => {
      const text = await registry.metrics();
      return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    };
    await new Promise((resolve) => setTimeout(resolve, 50));
    await registry.metrics();
    // A new window begins with the first sample after the scrape.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const endMs = performance.now() + 200;
    while (performance.now() < endMs);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const maxSeconds = await valueOf("nodejs_eventloop_lag_max_seconds");
    assert.ok(maxSeconds > 0.15 && maxSeconds < 5, String(maxSeconds));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok((await valueOf("nodejs_eventloop_lag_max_seconds")) < maxSeconds);
    assert.ok((await valueOf("process_cpu_seconds_total")) > 0.1);
    assert.ok((await valueOf("process_resident_memory_bytes")) > 10_000_000);
    assert.ok(Math.abs((await valueOf("process_start_time_seconds")) - Date.now() / 1000) < 3_600);
  });
});
