// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "./check/report.ts";
import { divideCores } from "./proxy/machine/cores.ts";
import { findProgram } from "./proxy/machine/find-program.ts";
import { ROOT } from "./proxy/machine/repository.ts";

/** Runs the built bench; `npm test` builds first. */
function bench(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, "dist/bench/check.js"), ...args], {
    encoding: "utf8",
    timeout: 90_000,
  });
}

const folders = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("purser-check-bench-") && !name.includes("test"));

describe("bench:check", function () {
  this.timeout(100_000);

  it("explains itself", () => {
    const { status, stdout } = bench("--help");
    assert.equal(status, 0);
    assert.match(stdout, /--rounds/);
  });

  it("refuses wrong options with exit code 2", () => {
    const { status, stdout, stderr } = bench("--seconds", "none");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /--seconds must be a whole number/);
  });

  it("measures all contenders for a second each and leaves nothing behind", function () {
    const missing = ["wrk", "taskset"].filter((name) => findProgram(name) === undefined);
    if (missing.length > 0) {
      console.warn(`      skipped: ${missing.join(", ")} not found`);
      return this.skip();
    }
    try {
      divideCores();
    } catch (error) {
      console.warn(`      skipped: ${String(error)}`);
      return this.skip();
    }
    const before = new Set(folders());
    const { status, stdout, stderr } = bench("--json", "--rounds=1", "--seconds=1");
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
    const left = folders().filter((name) => !before.has(name));
    assert.deepEqual(left, []);
  });
});
