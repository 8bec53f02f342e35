// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { serviceEntry } from "../support/mesh-folder.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const policies = (economyPort: number): string => `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: smooth }
spec:
  match: request.url_path = "/queued"
  limit: 5
  window: 500ms
  algorithm: token-bucket
  lease: 0s
  beyond: [{ queue: { atMost: 5s, length: 10 } }]
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: tiered }
spec:
  match: request.url_path = "/tiered"
  limit: 2
  window: 1h
  beyond: [{ degrade: { headers: { x-tier: economy } } }]
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  match: request.url_path = "/credit"
  key: { user: request.headers."x-user" }
  limit: 1
  window: 1h
  beyond: [{ draw: team-credit }]
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: team-credit }
spec:
  match: false
  key: { team: request.headers."x-team" }
  limit: 2
  window: 24h
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: slow }
spec:
  match: $startsWith(request.url_path, "/slow")
  key: { path: request.url_path }
  limit: 1
  window: 1s
  algorithm: token-bucket
  beyond: [{ queue: { atMost: 5s } }]
---
${serviceEntry("economy", economyPort)}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
    - match: [{ headers: { x-tier: { exact: economy } } }]
      route: [{ destination: { host: economy } }]
    - route: [{ destination: { host: shop } }]
`;

describe("beyond a limit", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;
  let economy: Upstream;

  before(async () => {
    economy = await startUpstream((incoming, outgoing) => {
      incoming.resume();
      outgoing.end(`economy ${String(incoming.headers["x-tier"])}`);
    });
    mesh = await startMesh(policies(economy.port));
  });
  after(async () => {
    await mesh?.stop();
    await economy?.close();
  });

  async function ask(path: string, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal) {
    const reply = await request(`${mesh.edge}${path}`, { headers: { host: "shop", ...headers }, signal });
    const text = await reply.body.text();
    return { status: reply.statusCode, headers: reply.headers, text, atMs: performance.now() };
  }

  async function metric(url: string, start: string): Promise<number> {
    const page = await (await request(url)).body.text();
    const line = page.split("\n").find((one) => one.startsWith(start));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ")));
  }

  const beyond = (labels: string): Promise<number> =>
    metric(`${mesh.mixer}/metrics`, `purser_mixer_quota_beyond_total${labels}`);
  const waiting = (): Promise<number> =>
    metric(`${mesh.admin}/stats/prometheus`, 'purser_proxy_mixer_client_total{event="quota_queue_waiting"}');

  it("a queue smooths a burst, and refuses what it has no place for", async () => {
    const startMs = performance.now();
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask("/queued")));
    const passed = replies.filter(({ status }) => status === 200);
    const refused = replies.filter(({ status }) => status === 429);
    assert.equal(passed.length + refused.length, 20);
    // 5 at once, or 4, as the first check's grant counts later; 10 in the queue; and a request more for each
    // 100 ms that the burst takes to arrive.
    assert.ok(passed.length >= 14 && passed.length <= 17, `${passed.length} passed`);
    const lastMs = Math.max(...passed.map(({ atMs }) => atMs)) - startMs;
    assert.ok(lastMs >= (passed.length - 5) * 100 - 50, `the last passed after ${lastMs} ms`);
    for (const { headers } of refused) assert.equal(headers["x-purser-policy"], "QuotaPolicy/smooth");
    await eventually(async () => assert.ok((await beyond('{policy="smooth",effect="queued"}')) >= 10));
  });

  it("a degraded request reaches another service by a VirtualService's header match", async () => {
    const texts: string[] = [];
    for (let count = 0; count < 4; count++) {
      const { status, text, headers } = await ask("/tiered");
      assert.equal(status, 200);
      assert.match(String(headers["ratelimit"]), /^"tiered";r=[01];t=\d+$/);
      texts.push(text);
    }
    assert.deepEqual(texts, ["hello\n", "hello\n", "economy economy", "economy economy"]);
    await eventually(async () => assert.equal(await beyond('{policy="tiered",effect="degraded"}'), 2));
  });

  it("a draw uses another policy's quota until that is used up", async () => {
    const team = { "x-team": "search" };
    const statuses: number[] = [];
    for (const user of ["ann", "ann", "bob", "bob", "bob"]) {
      const { status, headers } = await ask("/credit", { ...team, "x-user": user });
      statuses.push(status);
      if (user === "ann" && statuses.length === 2)
        assert.match(String(headers["ratelimit"]), /^"per-user";r=0;t=\d+, "team-credit";r=1;t=\d+$/);
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 429]);
    assert.equal((await ask("/credit", { "x-team": "other", "x-user": "bob" })).status, 200);
  });

  it("/auth draws and degrades, and does not wait", async () => {
    const auth = async (path: string) => {
      const headers = { "x-forwarded-uri": path, "x-forwarded-method": "GET", "x-forwarded-host": "shop" };
      const { statusCode, headers: got } = await request(`${mesh.mixer}/auth`, {
        headers: { ...headers, "x-user": "cid", "x-team": "auth" },
      });
      return { statusCode, got };
    };
    const degraded = await auth("/tiered");
    assert.deepEqual([degraded.statusCode, degraded.got["x-tier"]], [200, "economy"]);
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++) statuses.push((await auth("/credit")).statusCode);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.deepEqual(
      [(await auth("/slow/auth")).statusCode, (await auth("/slow/auth")).statusCode],
      [200, 429],
    );
  });

  it("a client that leaves while it waits gives its place to the next", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    assert.equal((await ask("/slow/left")).status, 200);
    const startMs = performance.now();
    const left = [first, second].map(async ({ signal }) => ask("/slow/left", {}, signal));
    await eventually(async () => assert.equal(await waiting(), 2));
    const last = ask("/slow/left");
    await eventually(async () => assert.equal(await waiting(), 3));
    for (const controller of [first, second]) controller.abort();
    for (const { status } of await Promise.allSettled(left)) assert.equal(status, "rejected");
    const { status, atMs } = await last;
    assert.equal(status, 200);
    assert.ok(atMs - startMs < 1_800, `waited ${atMs - startMs} ms, as if the others were still there`);
  });

  it("a proxy that drains lets waiting requests go on", async () => {
    assert.equal((await ask("/slow/drain")).status, 200);
    const late = ask("/slow/drain");
    await eventually(async () => assert.equal(await waiting(), 1));
    const stopped = mesh.program.stop("SIGTERM");
    assert.equal((await late).status, 200);
    await stopped;
  });
});
