// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { benchFolders, requireBench, runBench } from "../test/support/bench.ts";
import type { Report } from "./telemetry/report.ts";

describe("bench:telemetry", function () {
  this.timeout(130_000);

  it("explains itself", () => {
    const { status, stdout } = runBench("telemetry", "--help");
    assert.equal(status, 0);
    assert.match(stdout, /--rounds/);
  });

  it("refuses wrong options with exit code 2", () => {
    const { status, stdout, stderr } = runBench("telemetry", "--seconds", "none");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /--seconds must be a whole number/);
  });

  it("measures all parts for a second each and leaves nothing behind", function () {
    requireBench(this, "wrk", "nginx", "taskset");
    const before = new Set(benchFolders());
    const { status, stdout, stderr } = runBench(
      "telemetry",
      "--json",
      "--rounds=1",
      "--seconds=1",
      "--warm-up=1",
    );
    // So short a run may miss the bars.
    assert.ok(status === 0 || status === 1, stderr);
    const report = JSON.parse(stdout) as Report;
    const { increment_ns: increments, reports, policy_and_telemetry: cost, bars, missing } = report;
    assert.ok((increments["prometheus"] ?? 0) > 1 && (increments["prom-client"] ?? 0) > 1, stdout);
    const names = ["none", "prometheus", "kafka", "otlp", "all"].filter((name) => !(name in missing));
    assert.deepEqual(Object.keys(reports), names);
    for (const [name, figures] of Object.entries(reports)) {
      assert.ok(figures.bags_per_s > 1_000 && figures.bags_per_cpu_s > 1_000, `${name} ${stdout}`);
      assert.equal(figures.errors, 0, `${name} ${stdout}`);
      for (const queue of Object.values(figures.queues))
        assert.ok(queue.delivered_share > 0, `${name} ${stdout}`);
    }
    assert.deepEqual(Object.keys(reports["otlp"]?.queues ?? {}).sort(), [
      "otlp/logentry",
      "otlp/metric",
      "otlp/tracespan",
    ]);
    assert.ok((cost?.bare_cpu_ms_per_1000 ?? 0) > 0, stdout);
    assert.ok(
      bars.every(({ met }) => met !== undefined),
      stdout,
    );
    const left = benchFolders().filter((name) => !before.has(name));
    assert.deepEqual(left, []);
  });
});
