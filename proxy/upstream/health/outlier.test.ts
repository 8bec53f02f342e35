// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";

import type { OutlierDetection } from "../../../core/traffic/resources/outlier-detection.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  forwardTo,
  httpUpstream,
  type Rig,
  routeOf,
  startProxy,
  tcpUpstream,
  until,
} from "../../testing/harness.test.ts";
import { describeTransports } from "../../testing/transports.test.ts";

const OUTLIERS: OutlierDetection = {
  consecutive5xxErrors: 2,
  consecutiveGatewayErrors: 0,
  splitExternalLocalOriginErrors: false,
  consecutiveLocalOriginFailures: 2,
  intervalMs: 10,
  baseEjectionMs: 60_000,
  maxEjectionPercent: 50,
  minHealthPercent: 0,
};

const CLUSTER = clusterOf([]).name;

const answerWith =
  (status: number): RequestListener =>
  (incoming, outgoing) =>
    void incoming.resume().on("end", () => outgoing.writeHead(status).end());

/** Endpoints at `ports`, in turn. */
function mesh(ports: readonly number[], outlierDetection: Partial<OutlierDetection> = {}, timeoutMs = 0) {
  const cluster = clusterOf(
    ports.map((port) => endpointAt(port)),
    { outlierDetection: { ...OUTLIERS, ...outlierDetection } },
  );
  return configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, { timeoutMs }))] });
}

/** The statuses of `times` requests, one after the other. */
async function statuses({ port }: Rig, times: number): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let time = 0; time < times; time++) seen.push((await call(port)).status);
  return seen;
}

function flagsOf({ proxy }: Rig, port: number): unknown {
  return proxy.clusters().find(({ key }) => key === `${CLUSTER}::127.0.0.1:${port}::health_flags`)?.value;
}

const EJECTED = "/failed_outlier_check";

describeTransports("outlier detection in a proxy", () => {
  afterEach(cleanUp);

  it("ejects an endpoint that answers 5xx, says so everywhere, and lets it come back", async () => {
    const [bad, good] = [await httpUpstream(answerWith(500)), await httpUpstream(answerWith(200))];
    const rig = await startProxy(mesh([bad.port, good.port], { baseEjectionMs: 200 }));
    const first = await statuses(rig, 4);
    assert.equal(first.filter((status) => status === 500).length, 2);
    assert.deepEqual(await statuses(rig, 6), [200, 200, 200, 200, 200, 200]);
    assert.equal(flagsOf(rig, bad.port), EJECTED);
    assert.equal(flagsOf(rig, good.port), "healthy");
    const metrics = await rig.proxy.registry.metrics();
    const labels = `cluster="${CLUSTER}"`;
    assert.ok(metrics.includes(`purser_proxy_upstream_endpoints{${labels}} 2\n`), metrics);
    assert.ok(metrics.includes(`purser_proxy_upstream_endpoints_healthy{${labels}} 1\n`), metrics);
    assert.ok(
      metrics.includes(
        `purser_proxy_outlier_ejections_total{${labels},reason="consecutive_5xx",outcome="ejected"} 1\n`,
      ),
      metrics,
    );
    await until(() => flagsOf(rig, bad.port) === "healthy");
    assert.ok((await statuses(rig, 2)).includes(500));
    const endpoint = `127.0.0.1:${bad.port}`;
    assert.deepEqual(
      rig.logger.lines.filter(({ message }) => message.startsWith("an endpoint")),
      [
        {
          level: "warn",
          message: "an endpoint is unhealthy",
          fields: { cluster: CLUSTER, endpoint, ejectedFor: "consecutive_5xx" },
        },
        {
          level: "info",
          message: "an endpoint is healthy again",
          fields: { cluster: CLUSTER, endpoint, after: "ejection" },
        },
      ],
    );
  });

  for (const [what, serve] of [
    ["refuses connections", deadPort],
    [
      "resets",
      async () => (await tcpUpstream((socket) => socket.on("data", () => socket.resetAndDestroy()))).port,
    ],
    ["answers garbage", async () => (await tcpUpstream((socket) => socket.write("SSH-2.0-x\r\n\r\n"))).port],
    ["hangs", async () => (await tcpUpstream(() => {})).port],
    [
      "breaks its answers off",
      async () =>
        (
          await tcpUpstream((socket) =>
            socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")),
          )
        ).port,
    ],
    [
      "answers with a gRPC status that means trouble",
      async () =>
        (await httpUpstream((_incoming, outgoing) => outgoing.writeHead(200, { "grpc-status": "14" }).end()))
          .port,
    ],
  ] as const) {
    it(`ejects an endpoint that ${what}`, async () => {
      const bad = await serve();
      const good = await httpUpstream(answerWith(200));
      // An answer that is broken off has a success before each failure.
      const consecutive5xxErrors = what === "breaks its answers off" ? 1 : 2;
      const rig = await startProxy(mesh([bad, good.port], { consecutive5xxErrors }, 100));
      for (let time = 0; time < 4; time++) await call(rig.port).catch(() => {});
      assert.equal(flagsOf(rig, bad), EJECTED);
      assert.deepEqual(await statuses(rig, 4), [200, 200, 200, 200]);
    });
  }

  it("counts failures without a response apart, if it should", async () => {
    const [dead, bad] = [await deadPort(), await httpUpstream(answerWith(500))];
    const apart = { splitExternalLocalOriginErrors: true, consecutive5xxErrors: 0 };
    const rig = await startProxy(mesh([dead, bad.port], apart));
    await statuses(rig, 8);
    assert.equal(flagsOf(rig, dead), EJECTED);
    assert.equal(flagsOf(rig, bad.port), "healthy");
    const metrics = await rig.proxy.registry.metrics();
    assert.match(metrics, /reason="consecutive_local_origin_failures",outcome="ejected"} 1\n/);
  });

  it("counts no request that it cancelled, or refused itself", async () => {
    const { port: upstream } = await tcpUpstream(() => {});
    const cluster = clusterOf([endpointAt(upstream)], {
      outlierDetection: { ...OUTLIERS, consecutive5xxErrors: 1 },
      maxConnectionsPerEndpoint: 1,
      maxPendingRequestsPerEndpoint: 1,
    });
    const rig = await startProxy(configOf({ clusters: [cluster] }));
    const { request } = await import("node:http");
    for (let time = 0; time < 3; time++) {
      const outgoing = request({ host: "127.0.0.1", port: rig.port, agent: false });
      outgoing.on("error", () => {});
      outgoing.end();
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (time < 2) continue;
      // One request is under way and one waits; the third was refused for overflow.
      assert.equal(flagsOf(rig, upstream), "healthy");
      outgoing.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(flagsOf(rig, upstream), "healthy");
  });

  it("leaves 503 UH when the only endpoint is ejected, unless minHealthPercent uses it all the same", async () => {
    const bad = await httpUpstream(answerWith(500));
    const strict = await startProxy(mesh([bad.port]));
    assert.deepEqual(await statuses(strict, 4), [500, 500, 503, 503]);
    const reply = await call(strict.port);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_NO_ENDPOINT");
    await until(() => strict.policy.reports.length === 5);
    const flags = strict.policy.reports.map((bag) => (bag["response"] as Record<string, unknown>)["flags"]);
    assert.deepEqual(flags.slice(2), ["UH", "UH", "UH"]);
    const panicking = await startProxy(mesh([bad.port], { minHealthPercent: 1 }));
    assert.deepEqual(await statuses(panicking, 4), [500, 500, 500, 500]);
    assert.equal(flagsOf(panicking, bad.port), EJECTED);
  });

  it("keeps an ejection through reloads, and ends it with the settings", async () => {
    const [bad, good] = [await httpUpstream(answerWith(500)), await httpUpstream(answerWith(200))];
    const third = await httpUpstream(answerWith(200));
    const rig = await startProxy(mesh([bad.port, good.port]));
    await statuses(rig, 4);
    for (const next of [
      mesh([bad.port, good.port], {}, 5_000),
      mesh([third.port, bad.port, good.port]),
      mesh([bad.port, third.port], { consecutive5xxErrors: 3, intervalMs: 20 }),
    ]) {
      rig.apply(next);
      await until(() => rig.proxy.resources()?.routes === next.routes);
      assert.equal(flagsOf(rig, bad.port), EJECTED);
      assert.deepEqual(await statuses(rig, 3), [200, 200, 200]);
    }
    rig.apply(configOf({ clusters: [clusterOf([endpointAt(bad.port), endpointAt(third.port)])] }));
    await until(() => flagsOf(rig, bad.port) === "healthy");
    assert.equal((await statuses(rig, 4)).filter((status) => status === 500).length, 2);
  });

  it("knows nothing of an endpoint that left and came back, also while a request of its time goes on", async () => {
    const bad = await httpUpstream(answerWith(500));
    const release: (() => void)[] = [];
    const slow = await httpUpstream((_incoming, outgoing) => release.push(() => outgoing.end()));
    const rig = await startProxy(mesh([bad.port]));
    await statuses(rig, 3);
    rig.apply(mesh([bad.port, slow.port]));
    await until(() => flagsOf(rig, slow.port) === "healthy");
    const underWay = call(rig.port);
    await until(() => release.length === 1);
    rig.apply(mesh([slow.port]));
    await until(() => flagsOf(rig, bad.port) === undefined);
    rig.apply(mesh([bad.port]));
    await until(() => flagsOf(rig, bad.port) === "healthy");
    assert.deepEqual(await statuses(rig, 3), [500, 500, 503]);
    release[0]?.();
    assert.equal((await underWay).status, 200);
  });
});
