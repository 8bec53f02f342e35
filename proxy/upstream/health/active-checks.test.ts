// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { HealthCheck } from "../../../core/traffic/resources/health-check.ts";
import type { OutlierDetection } from "../../../core/traffic/resources/outlier-detection.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  httpUpstream,
  later,
  type Rig,
  startProxy,
  until,
} from "../../testing/harness.test.ts";
import { describeTransports } from "../../testing/transports.test.ts";

const CLUSTER = clusterOf([]).name;

const CHECK: HealthCheck = {
  probe: {
    kind: "http",
    method: "GET",
    path: "/healthz",
    host: "reviews",
    headers: {},
    expectedStatuses: [{ start: 200, end: 201 }],
  },
  intervalMs: 10,
  noTrafficIntervalMs: 10,
  timeoutMs: 1_000,
  unhealthyThreshold: 2,
  healthyThreshold: 1,
  initialJitterMs: 0,
};

interface Endpoint {
  readonly port: number;
  /** The status of `/healthz`. */
  health: number | "hang";
  /** The status of all other paths. */
  status: number;
  checks: number;
  requests: number;
}

async function endpoint(health: number | "hang" = 200): Promise<Endpoint> {
  const self = { health, status: 200, checks: 0, requests: 0 };
  const { port } = await httpUpstream(({ url }, outgoing) => {
    if (url !== "/healthz") {
      self.requests++;
      outgoing.writeHead(self.status).end();
      return;
    }
    self.checks++;
    if (self.health !== "hang") outgoing.writeHead(self.health).end();
  });
  return Object.assign(self, { port });
}

function mesh(
  endpoints: readonly Endpoint[],
  healthCheck: Partial<HealthCheck> = {},
  outlierDetection?: OutlierDetection,
) {
  return configOf({
    clusters: [
      clusterOf(
        endpoints.map(({ port }) => endpointAt(port)),
        {
          healthCheck: { ...CHECK, ...healthCheck },
          ...(outlierDetection === undefined ? {} : { outlierDetection }),
        },
      ),
    ],
  });
}

function flagsOf({ proxy }: Rig, { port }: Endpoint): unknown {
  return proxy.clusters().find(({ key }) => key === `${CLUSTER}::127.0.0.1:${port}::health_flags`)?.value;
}

describeTransports("active health checks in a proxy", () => {
  afterEach(cleanUp);

  it("take an endpoint out while it is unhealthy, and count each check", async () => {
    const [first, second] = [await endpoint(), await endpoint()];
    const rig = await startProxy(mesh([first, second]));
    await until(() => flagsOf(rig, first) === "healthy" && flagsOf(rig, second) === "healthy");
    first.health = 503;
    await until(() => flagsOf(rig, first) === "/failed_active_hc");
    const before = first.requests;
    for (let time = 0; time < 6; time++) assert.equal((await call(rig.port)).status, 200);
    assert.equal(first.requests, before);
    assert.ok(second.requests >= 6);
    first.health = 200;
    await until(() => flagsOf(rig, first) === "healthy");
    for (let time = 0; time < 6; time++) await call(rig.port);
    assert.ok(first.requests > before);
    const metrics = await rig.proxy.registry.metrics();
    const count = (outcome: string) =>
      Number(new RegExp(`checks_total{cluster="[^"]*",outcome="${outcome}"} (\\d+)`).exec(metrics)?.[1]);
    assert.ok(count("success") > 2);
    assert.ok(count("failure") >= 1);
    assert.equal(count("timeout"), 0);
  });

  it("leave 503 UH when every endpoint is unhealthy", async () => {
    const only = await endpoint(500);
    const rig = await startProxy(mesh([only]));
    await until(() => flagsOf(rig, only) === "/failed_active_hc");
    const reply = await call(rig.port);
    assert.equal(reply.status, 503);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_NO_ENDPOINT");
    assert.equal(only.requests, 0);
  });

  it("refuse no request before the first check of a new cluster, and use no unchecked endpoint later", async () => {
    const [first, hanging] = [await endpoint("hang"), await endpoint("hang")];
    const rig = await startProxy(mesh([first]));
    assert.equal(flagsOf(rig, first), "/pending_active_hc");
    assert.equal((await call(rig.port)).status, 200);
    // The check under way hangs; the new version begins anew.
    first.health = 200;
    rig.apply(mesh([first, hanging], { intervalMs: 11 }));
    await until(() => flagsOf(rig, first) === "healthy");
    assert.equal(flagsOf(rig, hanging), "/pending_active_hc");
    for (let time = 0; time < 6; time++) assert.equal((await call(rig.port)).status, 200);
    assert.equal(hanging.requests, 0);
  });

  it("time out, and take an endpoint out after as many timeouts as the threshold says", async () => {
    const [first, second] = [await endpoint(), await endpoint()];
    const rig = await startProxy(mesh([first, second], { timeoutMs: 30 }));
    await until(() => flagsOf(rig, first) === "healthy" && flagsOf(rig, second) === "healthy");
    first.health = "hang";
    await until(() => flagsOf(rig, first) === "/failed_active_hc");
    assert.match(await rig.proxy.registry.metrics(), /outcome="timeout"} 2\n/);
  });

  it("run once however many versions share an endpoint, and end when it leaves", async () => {
    const [first, second] = [await endpoint(), await endpoint()];
    const rig = await startProxy(mesh([first, second], { noTrafficIntervalMs: 60_000 }));
    await until(() => first.checks === 1 && second.checks === 1);
    for (let version = 0; version < 5; version++) {
      rig.apply({
        ...mesh([first, second], { noTrafficIntervalMs: 60_000 }),
        routes: { version: `${version}`, resources: [] },
      });
      await later(20);
    }
    assert.equal(first.checks, 1);
    rig.apply(mesh([first], { intervalMs: 5, noTrafficIntervalMs: 5 }));
    await until(() => first.checks > 3);
    const { checks } = second;
    await later(50);
    assert.equal(second.checks, checks);
    await rig.proxy.close();
    // The last check's request may be on its way.
    await later(20);
    const last = first.checks;
    await later(50);
    assert.equal(first.checks, last);
  });

  it("end an ejection by their success", async () => {
    const [first, second] = [await endpoint(), await endpoint()];
    const rig = await startProxy(
      mesh(
        [first, second],
        {},
        {
          consecutive5xxErrors: 1,
          consecutiveGatewayErrors: 0,
          splitExternalLocalOriginErrors: false,
          consecutiveLocalOriginFailures: 0,
          intervalMs: 60_000,
          baseEjectionMs: 600_000,
          maxEjectionPercent: 50,
          minHealthPercent: 0,
        },
      ),
    );
    await until(() => flagsOf(rig, first) === "healthy" && flagsOf(rig, second) === "healthy");
    first.status = 500;
    first.health = "hang";
    await later(30);
    await call(rig.port);
    await call(rig.port);
    assert.equal(flagsOf(rig, first), "/failed_outlier_check");
    first.status = 200;
    first.health = 200;
    rig.apply(
      mesh(
        [first, second],
        { intervalMs: 12 },
        rig.proxy.resources()?.clusters.resources[0]?.outlierDetection,
      ),
    );
    await until(() => flagsOf(rig, first) === "healthy");
  });
});
