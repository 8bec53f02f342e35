// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const MESH = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  location: MESH_INTERNAL
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: 90, name: other, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, labels: { version: v1 } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: shop }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - route:
        - { destination: { host: reviews, port: { number: 80 } }, weight: 1 }
        - { destination: { host: reviews, port: { number: 90 } }, weight: 1 }
        - { destination: { host: reviews, port: { number: 80 }, subset: v1 }, weight: 1 }
        - { destination: { host: reviews, port: { number: 90 }, subset: v1 }, weight: 1 }
---
`;

const TIMES = "interval: 5s, timeout: 1s, unhealthyThreshold: 3, healthyThreshold: 2";

const healthCheck = (name: string, spec: string, namespace = "shop") => `
apiVersion: purser.dev/v1
kind: HealthCheck
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ${spec}, ${TIMES} }
---
`;

/** The checks of the clusters that `documents` lead to, by the cluster's name. */
function checksOf(documents: string): Readonly<Record<string, Cluster["healthCheck"]>> {
  const node = {
    role: "sidecar",
    id: "c-1",
    host: "127.0.0.1",
    service: "x",
    outboundPort: 15001,
    inbound: { port: 15006, appHost: "127.0.0.1", appPort: 9080 },
  } as const;
  const { clusters } = translate(trafficDocuments(`${MESH}${documents}`), node);
  return Object.fromEntries(clusters.resources.map(({ name, healthCheck: check }) => [name, check]));
}

describe("the health checks of clusters", () => {
  it("have Envoy's defaults, and the service's host", () => {
    const checks = checksOf(
      healthCheck("a", "host: reviews.shop.svc.cluster.local, http: { path: /healthz }", "ops"),
    );
    assert.deepEqual(checks["outbound|80||reviews"], {
      probe: {
        kind: "http",
        method: "GET",
        path: "/healthz",
        host: "reviews",
        headers: {},
        expectedStatuses: [{ start: 200, end: 201 }],
      },
      intervalMs: 5_000,
      noTrafficIntervalMs: 60_000,
      timeoutMs: 1_000,
      unhealthyThreshold: 3,
      healthyThreshold: 2,
      initialJitterMs: 0,
    });
  });

  it("take every field over", () => {
    const http =
      "http: { path: /ping?x=1, host: a.example, method: HEAD, expectedStatuses: [{ start: 200, end: 300 }], headers: { x-a: b } }";
    const more = "initialJitter: 500ms, noTrafficInterval: 10s";
    const check = checksOf(healthCheck("a", `host: reviews, ${http}, ${more}`))["outbound|90|v1|reviews"];
    assert.deepEqual(check?.probe, {
      kind: "http",
      method: "HEAD",
      path: "/ping?x=1",
      host: "a.example",
      headers: { "x-a": "b" },
      expectedStatuses: [{ start: 200, end: 300 }],
    });
    assert.equal(check?.initialJitterMs, 500);
    assert.equal(check?.noTrafficIntervalMs, 10_000);
  });

  it("are of the most exact document: of the subset, else of the port, else of the host", () => {
    const grpc = (service: string) => `grpc: { service: ${service} }`;
    const checks = checksOf(
      healthCheck("all", "host: reviews, tcp: {}") +
        healthCheck("subset", `host: reviews, subset: v1, ${grpc("subset")}`) +
        healthCheck("port", `host: reviews, port: { number: 90 }, ${grpc("port")}`) +
        healthCheck("both", `host: reviews, subset: v1, port: { number: 80 }, ${grpc("both")}`),
    );
    const probe = (service: string) => ({ kind: "grpc", host: "reviews", service });
    assert.deepEqual(
      Object.entries(checks).map(([name, check]) => [name, check?.probe]),
      [
        ["inbound|9080||", undefined],
        ["outbound|80|v1|reviews", probe("both")],
        ["outbound|80||reviews", { kind: "tcp" }],
        ["outbound|90|v1|reviews", probe("subset")],
        ["outbound|90||reviews", probe("port")],
      ],
    );
  });
});
