// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Pool } from "undici";
import { eventually } from "../support/eventually.ts";
import { meshFolder, type MeshFolder, serviceEntry } from "../support/mesh-folder.ts";
import { type Program, purser, runProgram } from "../support/program.ts";
import { freePort } from "../../bench/machine/free-port.ts";

// Runs the bookshop with mixer, pilot and edge proxy in processes of their own, which know each other only by
// URL. Each process starts before the processes that it depends on.

describe("mixer, pilot, proxy and bookshop in four processes", function () {
  this.timeout(60_000);
  const programs: Program[] = [];
  let folder: MeshFolder;
  let edge: Pool;
  let mixerUrl: string;

  before(async () => {
    const [edgePort, mixerPort, pilotPort] = [await freePort(), await freePort(), await freePort()];
    const edgeUrl = `http://127.0.0.1:${edgePort}`;
    const bookshop = runProgram("examples/bookshop/services/main.js", [
      "all",
      "--port=0",
      `--mesh=${edgeUrl}`,
    ]);
    programs.push(bookshop);
    const portOf = async (service: string): Promise<number> =>
      Number((await bookshop.until(new RegExp(`^${service} listening on http://[^:]+:(\\d+)$`, "m")))[1]);
    folder = meshFolder({
      "services.yaml": [
        serviceEntry("storefront", await portOf("storefront")),
        serviceEntry("catalog", await portOf("catalog")),
        serviceEntry("ratings", await portOf("ratings")),
        serviceEntry(
          "reviews",
          await portOf("reviews-v1"),
          await portOf("reviews-v2"),
          await portOf("reviews-v3"),
        ),
      ].join("---\n"),
      "policy.yaml": policy("GET"),
      "quota.yaml": QUOTA_AND_METRIC,
    });
    mixerUrl = `http://127.0.0.1:${mixerPort}`;
    const proxy = purser(
      "proxy",
      "--role=edge",
      `--edge-port=${edgePort}`,
      "--admin-port=0",
      `--mixer=${mixerUrl}`,
      `--pilot=http://127.0.0.1:${pilotPort}`,
    );
    programs.push(proxy);
    const pilot = purser("pilot", "-c", folder.path, `--pilot-port=${pilotPort}`);
    const mixer = purser("mixer", "-c", folder.path, `--mixer-port=${mixerPort}`);
    programs.push(pilot, mixer);
    await Promise.all([
      pilot.until(/pilot listening/),
      mixer.until(/mixer listening/),
      proxy.until(/edge proxy listening/),
    ]);
    edge = new Pool(edgeUrl);
    await eventually(async () => assert.equal((await call("GET")).status, 200));
  });

  after(async () => {
    await edge?.close();
    for (const program of programs) await program.stop("SIGKILL");
    folder?.remove();
  });

  const call = async (
    method: "GET" | "DELETE",
    headers: Record<string, string> = {},
  ): Promise<{ status: number; policy: unknown; text: string }> => {
    const {
      statusCode,
      headers: answered,
      body,
    } = await edge.request({ path: "/ratings/1", method, headers: { host: "ratings", ...headers } });
    return { status: statusCode, policy: answered["x-purser-policy"], text: await body.text() };
  };

  it("forwards an allowed request", async () => {
    assert.deepEqual(JSON.parse((await call("GET")).text), { id: "1", stars: 4 });
  });

  it("serves the page, whose services call one another through the proxy", async () => {
    const { statusCode, body } = await edge.request({
      path: "/",
      method: "GET",
      headers: { host: "storefront" },
    });
    const page = await body.text();
    assert.equal(statusCode, 200, page);
    assert.match(page, /<blockquote>/);
  });

  it("denies by the mixer's policy", async () => {
    const { status, policy: name, text } = await call("DELETE");
    assert.deepEqual([status, name], [403, "AccessPolicy/methods"]);
    assert.match(text, /only GET/);
  });

  it("admits exactly the quota's limit", async () => {
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await call("GET", { "x-user": "ann" })).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429]);
  });

  it("reports to the mixer, cache hits included", async () => {
    await eventually(async () => {
      const { body } = await edgeless(`${mixerUrl}/metrics`);
      assert.match(body, /^requests_total\{destination="ratings",code="200",hit="true"\} [1-9]/m);
      assert.match(body, /^requests_total\{destination="ratings",code="403",hit="(false|true)"\} 1$/m);
    });
  });

  it("follows an edit of a document within a second, with no failed request", async () => {
    folder.write("policy.yaml", policy("DELETE"));
    const startMs = performance.now();
    for (;;) {
      const { status } = await call("DELETE");
      assert.ok(status === 200 || status === 403, `${status}`);
      if (status === 200) break;
      assert.ok(performance.now() - startMs < 1_000, "not within a second");
    }
    assert.equal((await call("GET")).status, 403);
  });

  it("ends each process with exit code 0 on SIGTERM", async () => {
    for (const program of programs) {
      const { code, tookMs } = await program.stop("SIGTERM");
      assert.equal(code, 0, program.errors());
      assert.ok(tookMs < 1_500, `${tookMs} ms`);
    }
  });
});

const QUOTA_AND_METRIC = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  match: $exists(request.headers."x-user")
  key: { user: request.headers."x-user" }
  limit: 5
  window: 60s
---
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
kind: Metric
metadata: { name: requests_total }
spec:
  type: counter
  value: 1
  labels: { destination: destination.service.name, code: response.code, hit: check.cache_hit }
  handlers: [prometheus]
`;

function policy(method: string): string {
  return `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: methods }
spec:
  action: DENY
  match: destination.service.name = "ratings"
  when: request.method != "${method}"
  status: { message: '"only ${method}"' }
`;
}

async function edgeless(url: string): Promise<{ body: string }> {
  const response = await fetch(url);
  return { body: await response.text() };
}
