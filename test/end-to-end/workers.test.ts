// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/load.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const LIMIT = 100;

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: everybody }
spec:
  match: request.url_path = "/limited"
  key: {}
  limit: ${LIMIT}
  window: 1h
  algorithm: fixed-window
---
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
kind: Metric
metadata: { name: requests_total }
spec: { type: counter, value: 1, labels: { code: response.code }, handlers: [prometheus] }
`;

describe("a proxy of two workers", function () {
  this.timeout(120_000);
  let mesh: MeshProgram;

  before(async () => {
    mesh = await startMesh(DOCUMENTS, { flags: ["--workers=2", "--log-level=info"] });
  });
  after(() => mesh?.stop());

  const metric = async (url: string, line: RegExp): Promise<number> => {
    const { body } = await request(url);
    return Number(line.exec(await body.text())?.[1] ?? 0);
  };
  const served = (): Promise<number> =>
    metric(`${mesh.admin}/stats/prometheus`, /^purser_proxy_requests_total\{[^}]*2xx[^}]*\} (\d+)$/m);
  const pids = (): number[] => {
    const lines = mesh.program.errors().matchAll(/"worker":\d,"pid":(\d+),"msg":"a worker serves requests"/g);
    return [...lines].map(([, pid]) => Number(pid));
  };

  it("admits exactly the limit, whichever worker a request meets", async () => {
    const { statuses, failures } = await load({
      origin: mesh.edge,
      path: "/limited",
      requests: 600,
      concurrency: 20,
    });
    assert.deepEqual(failures, []);
    assert.equal(statuses.get(200), LIMIT);
    assert.equal(statuses.get(429), 600 - LIMIT);
  });

  it("has one admin surface and one set of metrics", async () => {
    assert.equal((await request(`${mesh.admin}/ready`)).statusCode, 200);
    assert.equal(await served(), LIMIT);
    assert.equal(await metric(`${mesh.admin}/stats/prometheus`, /^purser_proxy_workers (\d+)$/m), 2);
    const clusters = await (await request(`${mesh.admin}/clusters`)).body.text();
    assert.match(clusters, new RegExp(`::rq_total::${LIMIT}$`, "m"));
    await eventually(async () => {
      assert.equal(await metric(`${mesh.mixer}/metrics`, /^requests_total\{code="200"\} (\d+)$/m), LIMIT);
      assert.equal(await metric(`${mesh.mixer}/metrics`, /^requests_total\{code="429"\} (\d+)$/m), 500);
    });
  });

  it("replaces a worker that is killed, names it, keeps its counts, and the limit holds", async () => {
    const [first = 0] = pids();
    assert.ok(first > 0);
    process.kill(first, "SIGKILL");
    await eventually(async () => assert.equal(pids().length, 3));
    assert.match(
      mesh.program.errors(),
      new RegExp(
        `"worker":\\d,"pid":${first},"how":"signal SIGKILL","pauseMs":\\d+,"msg":"a worker ended unasked`,
      ),
    );
    const { statuses, failures } = await load({
      origin: mesh.edge,
      path: "/limited",
      requests: 50,
      concurrency: 10,
    });
    assert.deepEqual(failures, []);
    assert.equal(statuses.get(429), 50);
    assert.equal(await served(), LIMIT);
    assert.equal(
      await metric(`${mesh.admin}/stats/prometheus`, /^purser_proxy_worker_restarts_total (\d+)$/m),
      1,
    );
  });

  it("loses no request before SIGTERM, then ends with its workers", async () => {
    const until = new Promise((resolve) => setTimeout(resolve, 500));
    const running = load({ origin: mesh.edge, path: "/open", until, concurrency: 4 });
    await until;
    const { failures } = await running;
    assert.deepEqual(failures, []);
    const { code } = await mesh.program.stop("SIGTERM");
    assert.equal(code, 0);
    await eventually(async () => {
      for (const pid of pids()) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    });
  });
});

describe("workers whose pool is killed", function () {
  this.timeout(60_000);

  it("end by themselves", async () => {
    const mesh = await startMesh(DOCUMENTS, { flags: ["--workers=2", "--log-level=info"] });
    try {
      const lines = mesh.program.errors().matchAll(/"pid":(\d+),"msg":"a worker serves requests"/g);
      const pids = [...lines].map(([, pid]) => Number(pid));
      assert.equal(pids.length, 2);
      await mesh.program.stop("SIGKILL");
      await eventually(async () => {
        for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
      });
    } finally {
      await mesh.stop();
    }
  });
});
