// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { benchFolders, requireBench, runBench } from "../test/support/bench.ts";
import type { Report } from "./check/report.ts";

describe("bench:check", function () {
  this.timeout(100_000);

  it("explains itself", () => {
    const { status, stdout } = runBench("check", "--help");
    assert.equal(status, 0);
    assert.match(stdout, /--rounds/);
  });

  it("refuses wrong options with exit code 2", () => {
    const { status, stdout, stderr } = runBench("check", "--seconds", "none");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /--seconds must be a whole number/);
  });

  it("measures all contenders for a second each and leaves nothing behind", function () {
    requireBench(this, "wrk", "taskset");
    const before = new Set(benchFolders());
    const { status, stdout, stderr } = runBench(
      "check",
      "--json",
      "--rounds=1",
      "--seconds=1",
      "--warm-up=1",
    );
    // So short a run may miss the ratio.
    assert.ok(status === 0 || status === 1, stderr);
    const { contenders, bars, decision } = JSON.parse(stdout) as Report;
    assert.deepEqual(Object.keys(contenders), ["koa", "koa-short", "mixer"]);
    for (const [name, figures] of Object.entries(contenders)) {
      assert.ok(figures.checks_per_s > 50, `${name} ${stdout}`);
      assert.ok(figures.cpu_ms_per_1000 > 0, `${name} ${stdout}`);
      assert.equal(figures.errors, 0, `${name} ${stdout}`);
    }
    assert.ok(
      bars.every(({ met }) => met !== undefined),
      stdout,
    );
    assert.ok(decision.allocated_bytes > 100, stdout);
    const left = benchFolders().filter((name) => !before.has(name));
    assert.deepEqual(left, []);
  });
});
