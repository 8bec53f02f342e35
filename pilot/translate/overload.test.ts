// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const SERVICES = ["reviews", "ratings"]
  .map(
    (name) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${name}.shop.svc.cluster.local]
  location: MESH_INTERNAL
  ports: [{ number: 9080, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
`,
  )
  .join("---");

const overload = (name: string, spec: string): string => `---
apiVersion: purser.dev/v1
kind: Overload
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;

const EDGE: ProxyNode = { role: "edge", id: "e", host: "127.0.0.1", port: 8080, trustedHops: 0 };
const SIDECAR: ProxyNode = {
  role: "sidecar",
  id: "s",
  host: "127.0.0.1",
  service: "reviews.shop",
  outboundPort: 15001,
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 9080 },
};

/** The document that applies to each cluster. */
function appliedTo(node: ProxyNode, documents: string): Readonly<Record<string, string | undefined>> {
  const { clusters } = translate(trafficDocuments(SERVICES + documents), node);
  return Object.fromEntries(clusters.resources.map(({ name, overload }) => [name, overload?.document]));
}

describe("Overload documents", () => {
  it("apply by the most exact host; of equal ones, the first applies", () => {
    const documents =
      overload("all", '{ host: "*" }') +
      overload("namespace", '{ host: "*.shop.svc.cluster.local" }') +
      overload("first", "{ host: reviews }") +
      overload("second", "{ host: reviews.shop.svc.cluster.local }");
    assert.deepEqual(appliedTo(EDGE, documents), {
      "outbound|9080||ratings.shop.svc.cluster.local": "shop/namespace",
      "outbound|9080||reviews.shop.svc.cluster.local": "shop/first",
    });
  });

  it("apply to the application behind the service's own sidecar", () => {
    assert.deepEqual(appliedTo(SIDECAR, overload("own", "{ host: reviews }")), {
      "inbound|9080||": "shop/own",
      "outbound|9080||ratings.shop.svc.cluster.local": undefined,
      "outbound|9080||reviews.shop.svc.cluster.local": "shop/own",
    });
  });

  it("give every setting its default, and take those that are written", () => {
    const settingsOf = (spec: string) =>
      translate(trafficDocuments(SERVICES + overload("o", spec)), EDGE).clusters.resources.find(
        ({ overload: found }) => found !== undefined,
      )?.overload;
    assert.deepEqual(settingsOf("{ host: reviews }"), {
      document: "shop/o",
      mode: "enforce",
      limit: {
        minConcurrency: 3,
        maxConcurrency: 1_000,
        updateIntervalMs: 100,
        latencyPercentile: 50,
        baselineIntervalMs: 60_000,
        baselineJitterPercent: 15,
        baselineRequests: 50,
        baselineBufferPercent: 25,
      },
      queueLength: 100,
      queueTimeoutMs: 100,
    });
    const written = settingsOf(
      "{ host: reviews, priority: 2, mode: shadow, concurrency: { min: 5, max: 50, updateInterval: 1s, latencyPercentile: 90 }, " +
        "baseline: { interval: 10s, jitterPercent: 0, requests: 20, bufferPercent: 50 }, queue: { length: 0, timeout: 2s } }",
    );
    assert.deepEqual(written, {
      document: "shop/o",
      mode: "shadow",
      priority: "2",
      limit: {
        minConcurrency: 5,
        maxConcurrency: 50,
        updateIntervalMs: 1_000,
        latencyPercentile: 90,
        baselineIntervalMs: 10_000,
        baselineJitterPercent: 0,
        baselineRequests: 20,
        baselineBufferPercent: 50,
      },
      queueLength: 0,
      queueTimeoutMs: 2_000,
    });
  });

  it("are refused when the least concurrency is above the greatest, at the field that was written", () => {
    for (const [fields, fault] of [
      ["{ min: 2000 }", "25:44: error: The least concurrency, 2000, is above the greatest, 1000"],
      ["{ min: 5, max: 4 }", "25:52: error: The least concurrency, 5, is above the greatest, 4"],
    ] as const) {
      assert.throws(
        () => trafficDocuments(SERVICES + overload("o", `{ host: reviews, concurrency: ${fields} }`)),
        ({ message }: Error) => message.includes(`test.yaml:${fault}`),
      );
    }
  });
});
