// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { benchFolders, requireBench, runBench } from "../test/support/bench.ts";
import type { Report } from "./proxy/report.ts";

describe("bench:proxy", function () {
  this.timeout(70_000);

  it("explains itself", () => {
    const { status, stdout } = runBench("proxy", "--help");
    assert.equal(status, 0);
    assert.match(stdout, /--only/);
  });

  it("refuses wrong options with exit code 2 and the choices", () => {
    const { status, stdout, stderr } = runBench("proxy", "--only", "squid");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /there is no squid with http1; choose from direct, nginx/);
  });

  it("measures two contenders for a second each and leaves nothing behind", function () {
    requireBench(this, "wrk", "nginx", "taskset");
    const before = new Set(benchFolders());
    const { status, stdout, stderr } = runBench(
      "proxy",
      "--json",
      "--rounds=1",
      "--seconds=1",
      "--warm-up=1",
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
      benchFolders().filter((name) => !before.has(name)),
      [],
    );
  });

  for (const [protocol, workload, generator] of [
    ["https", "get-1k", "wrk"],
    ["h2", "post-1k", "h2load"],
    ["grpc", "unary", "h2load"],
  ] as const) {
    it(`measures nginx and Purser with ${protocol}`, function () {
      requireBench(this, generator, "nginx", "taskset", "openssl");
      const { stdout, stderr } = runBench(
        "proxy",
        "--json",
        "--rounds=1",
        "--seconds=1",
        "--warm-up=1",
        "--only=nginx,purser",
        `--protocol=${protocol}`,
        `--workload=${workload}`,
      );
      assert.notEqual(stdout, "", stderr);
      const report = JSON.parse(stdout) as Report;
      assert.equal(report.protocol, protocol);
      for (const name of ["nginx", "purser"]) {
        const figures = report.contenders[name]?.workloads[workload];
        assert.ok(figures && figures.requests_per_s > 50, stdout);
        assert.equal(figures.errors, 0, stdout);
        assert.ok(figures.p50_ms > 0 && figures.p50_ms <= figures.p99_ms, stdout);
        assert.ok(figures.cpu_ms_per_1000 > 0, stdout);
      }
    });
  }
});
