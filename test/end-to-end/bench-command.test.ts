// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_BAG } from "../../tools/bench/default-bag.ts";
import type { BenchReport } from "../../tools/bench/report.ts";
import { readText, ROOT } from "../support/documentation.ts";

const DEADLINE_MS = 20_000;

const POLICIES = `
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: reviews-read-only }
spec:
  match: destination.service.name = "reviews"
  action: DENY
  when: request.method != "GET"
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: big }
spec:
  match: destination.service.name = "ratings"
  action: DENY
  when: $number(request.headers."x-size") > 10
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("purser bench", function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-bench-"));
    writeFileSync(join(folder, "policies.yaml"), POLICIES);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const measured = (...args: readonly string[]): Promise<Ended> => {
    const command = [join(ROOT, "dist/cli/purser.js"), "bench", "-c", join(folder, "policies.yaml")];
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [...command, "--seconds=0.2", ...args],
        { cwd: ROOT, timeout: DEADLINE_MS },
        (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  };

  it("measures each document and the decision, with bags made from the documents", async () => {
    const { code, stdout, stderr } = await measured("--json");
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    const report = JSON.parse(stdout) as BenchReport;
    assert.deepEqual(
      report.policies.map(({ kind, name, expressions, faults }) => [kind, name, expressions, faults]),
      [
        ["AccessPolicy", "reviews-read-only", 2, 0],
        ["AccessPolicy", "big", 2, 0],
      ],
    );
    for (const { ns } of report.policies) assert.ok(ns > 0);
    const { decision } = report;
    assert.ok(decision.p50_us > 0 && decision.p99_us >= decision.p50_us, stdout);
    assert.ok(decision.decisions >= 200 && decision.allocated_bytes > 0, stdout);
    assert.deepEqual([report.bags, decision.allowed_bags, report.exceeded], [2, 2, []]);
  });

  it("takes bags from a file, and reports the documents that fail on them", async () => {
    const bags = join(folder, "bags.jsonl");
    const bag = { destination: { service: { name: "reviews" } }, request: { method: "PUT", headers: {} } };
    const faulty = { request: { method: "GET", headers: { "x-size": "many" } } };
    writeFileSync(bags, `${JSON.stringify(bag)}\n\n${JSON.stringify(faulty)}\n`);
    const { code, stdout, stderr } = await measured("--bags", bags);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /AccessPolicy big .* ns {2}.*policies\.yaml:\d+ {2}fails on 1 of 2 bags/);
    assert.match(stdout, /of 2 bags, of which 1 are allowed/);
  });

  it("exits 1 over a budget, and names what exceeds it", async () => {
    const { code, stdout, stderr } = await measured(
      "--budget-ns",
      "0.001",
      "--budget-p99-us",
      "0.001",
      "--json",
    );
    assert.equal(code, 1);
    assert.match(stderr, /policies\.yaml:2: AccessPolicy reviews-read-only takes \d+ ns, more than 0\.001/);
    assert.match(stderr, /^The decision's p99 is [\d.]+ µs, more than 0\.001$/m);
    assert.equal((JSON.parse(stdout) as BenchReport).exceeded.length, 3);
  });

  it("exits 2 for lines that are not bags, and names the line", async () => {
    const bags = join(folder, "broken.jsonl");
    writeFileSync(bags, "{}\n[1]\n");
    const { code, stderr } = await measured("--bags", bags);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /broken\.jsonl:2: a bag must be a JSON object of attributes \[PURSER_BAGS_INVALID\]/,
    );
  });

  it("has the documented default bag", () => {
    const page = readText("docs/guides/operations.md");
    const [, shown = ""] = /```json\n(\{\n {2}"source"[^]*?)```/.exec(page) ?? [];
    assert.deepEqual(JSON.parse(shown), DEFAULT_BAG);
  });
});
