// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Pool } from "undici";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

// Kills a mixer under load: clients see the failure policy of each document.

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: strict }
spec:
  match: $contains(request.url_path, "/strict")
  action: DENY
  when: request.headers."x-bad" = "yes"
  onError: deny
  validDuration: 0s
---
kind: AccessPolicy
metadata: { name: lenient }
spec:
  match: $contains(request.url_path, "/lenient")
  action: DENY
  when: request.headers."x-bad" = "yes"
  onError: allow
  validDuration: 0s
---
kind: AccessPolicy
metadata: { name: cached }
spec:
  match: $contains(request.url_path, "/cached")
  action: DENY
  when: request.headers."x-bad" = "yes"
  validDuration: 60s
---
kind: QuotaPolicy
metadata: { name: quota-deny }
spec: { match: '$contains(request.url_path, "/quota-deny")', limit: 1000000, window: 1s, onStoreFailure: deny }
---
kind: QuotaPolicy
metadata: { name: quota-allow }
spec: { match: '$contains(request.url_path, "/quota-allow")', limit: 1000000, window: 1s, onStoreFailure: allow }
---
kind: QuotaPolicy
metadata: { name: quota-local }
spec: { match: '$contains(request.url_path, "/quota-local")', limit: 20, window: 60s, lease: 0s, onStoreFailure: local }
`;

interface Seen {
  readonly path: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly status: number;
  readonly policy: string | undefined;
  readonly code: string | undefined;
}

describe("a mixer killed under load", function () {
  this.timeout(60_000);
  let mesh: SplitMesh;
  let pool: Pool;
  const seen: Seen[] = [];
  const at = { killedMs: 0, restartedMs: 0, overMs: 0 };
  const PATHS = ["/strict", "/lenient", "/cached", "/quota-deny", "/quota-allow", "/ungoverned"];

  const call = async (path: string): Promise<Seen> => {
    const atMs = performance.now();
    const { statusCode, headers, body } = await pool.request({
      path,
      method: "GET",
      headers: { host: "shop" },
    });
    await body.dump();
    const text = (name: string): string | undefined => headers[name] as string | undefined;
    return {
      path,
      atMs,
      tookMs: performance.now() - atMs,
      status: statusCode,
      policy: text("x-purser-policy"),
      code: text("x-purser-error"),
    };
  };

  before(async () => {
    mesh = await startSplitMesh({ documents: DOCUMENTS, mixers: 1, edges: 1 });
    pool = new Pool(mesh.edges[0] as string, { connections: 32 });
    const readyMs = performance.now() + 10_000;
    while ((await call("/strict")).status !== 200)
      assert.ok(performance.now() < readyMs, "the mesh was not ready in time");
    let over = false;
    const worker = async (): Promise<void> => {
      for (let i = 0; !over; i++) {
        seen.push(await call(PATHS[i % PATHS.length] as string));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const workers = Promise.all(Array.from({ length: 12 }, worker));
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    await sleep(1_000);
    await mesh.killMixer(0);
    at.killedMs = performance.now();
    await sleep(3_000);
    await mesh.startMixer(0);
    at.restartedMs = performance.now();
    await sleep(3_000);
    over = true;
    await workers;
    at.overMs = performance.now();
  });
  after(async () => {
    await pool?.close();
    await mesh?.stop();
  });

  /** Responses from well after the kill, when no lease is valid and no call is pending. */
  const during = (path: string): readonly Seen[] =>
    seen.filter(
      (one) =>
        one.path === path && one.atMs > at.killedMs + 1_500 && one.atMs + one.tookMs < at.restartedMs - 500,
    );
  const statuses = (some: readonly Seen[]): number[] => [...new Set(some.map(({ status }) => status))];

  it("goes unnoticed before the kill", () => {
    const before = seen.filter(({ atMs, tookMs }) => atMs + tookMs < at.killedMs - 100);
    assert.ok(before.length > 50);
    assert.deepEqual(statuses(before), [200]);
  });

  it("refuses, as an error and not as a denial, where a policy's failure policy is deny", () => {
    const some = during("/strict");
    assert.ok(some.length > 10, `${some.length}`);
    assert.deepEqual(statuses(some), [503]);
    assert.deepEqual(
      [...new Set(some.map(({ policy, code }) => `${policy} ${code}`))],
      ["AccessPolicy/strict PURSER_MIXER_UNAVAILABLE"],
    );
  });

  it("forwards where the failure policy is allow, and where no policy applies", () => {
    for (const path of ["/lenient", "/ungoverned"]) {
      assert.ok(during(path).length > 10);
      assert.deepEqual(statuses(during(path)), [200], path);
    }
  });

  it("keeps using cached decisions that are still valid", () => {
    assert.deepEqual(statuses(during("/cached")), [200]);
  });

  it("follows each quota's onStoreFailure", () => {
    assert.deepEqual(statuses(during("/quota-deny")), [503]);
    assert.deepEqual(
      [...new Set(during("/quota-deny").map(({ policy }) => policy))],
      ["QuotaPolicy/quota-deny"],
    );
    assert.deepEqual(statuses(during("/quota-allow")), [200]);
  });

  it("delays no request beyond the deadline of a call", () => {
    const slowest = Math.max(...seen.map(({ tookMs }) => tookMs));
    assert.ok(slowest < 2_000, `${slowest} ms`);
  });

  it("serves again within 2 s of its restart", () => {
    const late = seen.filter(({ atMs }) => atMs > at.restartedMs + 2_000);
    assert.ok(late.length > 50);
    assert.deepEqual(statuses(late), [200]);
  });

  it("counts a quota with onStoreFailure local in the proxy meanwhile, against the proxy's share", async () => {
    await mesh.killMixer(0);
    const answers: number[] = [];
    for (let i = 0; i < 30; i++) answers.push((await call("/quota-local")).status);
    assert.deepEqual(answers, [...Array(20).fill(200), ...Array(10).fill(429)]);
  });
});
