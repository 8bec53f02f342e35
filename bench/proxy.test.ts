// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./proxy/machine/find-program.ts";
import { divideCores } from "./proxy/machine/cores.ts";
import { ROOT } from "./proxy/machine/repository.ts";
import type { Report } from "./proxy/report.ts";

/** Runs the built bench; `npm test` builds first. */
function bench(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, "dist/bench/proxy.js"), ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
}

const folders = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("purser-bench-") && !name.includes("test"));

describe("bench:proxy", function () {
  this.timeout(70_000);

  it("explains itself", () => {
    const { status, stdout } = bench("--help");
    assert.equal(status, 0);
    assert.match(stdout, /--only/);
  });

  it("refuses wrong options with exit code 2 and the choices", () => {
    const { status, stdout, stderr } = bench("--only", "squid");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /there is no squid; choose from direct, nginx/);
  });

  it("measures two contenders for a second each and leaves nothing behind", function () {
    const missing = ["wrk", "nginx", "taskset"].filter((name) => findProgram(name) === undefined);
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
    const { status, stdout, stderr } = bench(
      "--json",
      "--rounds=1",
      "--seconds=1",
      "--only=direct,forwarder",
      "--workload=get-100",
    );
    assert.equal(status, 0, stderr);
    const { contenders, bars } = JSON.parse(stdout) as Report;
    assert.deepEqual(bars, []);
    assert.deepEqual(Object.keys(contenders), ["direct", "forwarder"]);
    const figures = contenders["forwarder"]?.workloads["get-100"];
    assert.ok(figures && figures.requests_per_s > 100, stdout);
    assert.equal(figures.errors, 0, stdout);
    assert.ok(figures.cpu_ms_per_1000 > 0, stdout);
    assert.ok((contenders["forwarder"]?.half_load?.rate ?? 0) > 50, stdout);
    assert.ok((contenders["forwarder"]?.resident_mb ?? 0) > 10, stdout);
    assert.deepEqual(
      folders().filter((name) => !before.has(name)),
      [],
    );
  });
});
