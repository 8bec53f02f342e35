// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { load } from "../support/load.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: no-admin }
spec:
  action: DENY
  when: $contains(request.url_path, "/admin")
---
kind: AccessPolicy
metadata: { name: known-users }
spec:
  action: ALLOW
  when: $exists(request.headers."x-user")
---
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  key: { user: request.headers."x-user" }
  limit: 1000000
  window: 60s
---
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
kind: Metric
metadata: { name: requests_total }
spec: { type: counter, value: 1, labels: { code: response.code }, handlers: [prometheus] }
`;

describe("10,000 requests at concurrency 64, with policies, quota and metrics on", function () {
  this.timeout(120_000);
  let mesh: MeshProgram;

  before(async () => {
    // A small heap makes the garbage collector run often: with spare room, resident memory would include
    // garbage.
    mesh = await startMesh(DOCUMENTS, {
      environment: { NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=4" },
    });
  });
  after(() => mesh?.stop());

  const run = (requests: number) =>
    load({
      origin: mesh.edge,
      path: "/books",
      requests,
      concurrency: 64,
      headers: (index) => ({ "x-user": `user-${index % 50}` }),
    });

  const residentBytes = (): number => {
    const status = readFileSync(`/proc/${mesh.program.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  };

  it("fails none, warns of nothing and keeps its memory flat", async function () {
    const first = await run(10_000);
    assert.deepEqual(first.failures, []);
    assert.deepEqual([...first.statuses], [[200, 10_000]]);
    assert.equal(mesh.upstream.received, 10_000);
    if (process.platform !== "linux") return;
    const afterFirstBytes = residentBytes();
    for (let round = 0; round < 3; round++) {
      const { failures, statuses } = await run(10_000);
      assert.deepEqual([failures, [...statuses]], [[], [[200, 10_000]]]);
    }
    // One kilobyte leaked for each of 30,000 more requests would be 30 MB.
    const grownBytes = residentBytes() - afterFirstBytes;
    assert.ok(grownBytes < 16 * 1024 * 1024, `grew by ${(grownBytes / 1024 / 1024).toFixed(1)} MiB`);
    assert.equal(mesh.program.errors(), "");
  });

  it("reports every request", async () => {
    const endMs = performance.now() + 10_000;
    for (;;) {
      const text = await (await fetch(`${mesh.mixer}/metrics`)).text();
      const counted = Number(/^requests_total\{code="200"\} (\d+)$/m.exec(text)?.[1] ?? 0);
      if (counted === mesh.upstream.received) return;
      assert.ok(performance.now() < endMs, `${counted} of ${mesh.upstream.received} were reported`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});
