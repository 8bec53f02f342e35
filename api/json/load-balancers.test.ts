// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import type { LoadBalancer } from "../../core/traffic/resources/load-balancer.ts";
import { decodeTrafficUpdate } from "./discovery.ts";

function updateOf(loadBalancer: LoadBalancer): TrafficUpdate {
  return {
    clusters: {
      version: "1",
      resources: [
        {
          name: "c",
          service: { host: "c", name: "c", namespace: "default" },
          loadBalancer,
          connectTimeoutMs: 1,
          maxRequests: 1,
          maxRetries: 1,
          maxConnectionsPerEndpoint: 1,
          maxPendingRequestsPerEndpoint: 1,
          maxRequestsPerConnection: 0,
          maxConnectionDurationMs: 0,
          connectionIdleTimeoutMs: 0,
          tcpKeepaliveTimeMs: 0,
        },
      ],
    },
    endpoints: {
      version: "1",
      resources: [
        {
          name: "c",
          endpoints: [{ address: "a", port: 1, weight: 1, labels: {}, locality: "r/z", priority: 2 }],
          checkedByDestination: false,
          localityWeights: { "r/z": 33.5, "": 1 },
        },
      ],
    },
  };
}

const COOKIE = {
  kind: "cookie",
  name: "s",
  ttlSeconds: 0,
  path: "/",
  attributes: [{ name: "Secure" }],
} as const;

const LOAD_BALANCERS: readonly LoadBalancer[] = [
  { kind: "round-robin", slowStart: { windowMs: 1_000, aggression: 0.5, minimumPercent: 0 } },
  { kind: "least-request" },
  { kind: "random" },
  { kind: "ring-hash", hashOn: { kind: "header", name: "x-user" }, minimumRingSize: 65_536 },
  { kind: "ring-hash", hashOn: COOKIE, minimumRingSize: 1 },
  { kind: "maglev", hashOn: { kind: "source-ip" }, tableSize: 65_537 },
  { kind: "maglev", hashOn: { kind: "query", name: "u" }, tableSize: 131_071 },
];

describe("load balancers on the wire", () => {
  for (const loadBalancer of LOAD_BALANCERS)
    it(`${JSON.stringify(loadBalancer)} arrives as it was sent`, () => {
      const update = updateOf(loadBalancer);
      assert.deepEqual(decodeTrafficUpdate(JSON.parse(JSON.stringify(update))), update);
    });

  it("are refused with a table whose size is not a prime, which a proxy could never fill", () => {
    for (const tableSize of [0, 1, 100, 65_536, 131_073, 5_000_011, 7.5]) {
      const update = updateOf({ kind: "maglev", hashOn: { kind: "source-ip" }, tableSize });
      assert.throws(() => decodeTrafficUpdate(update), /loadBalancer/, `${tableSize}`);
    }
  });

  it("are refused with a ring that is empty or too large", () => {
    for (const minimumRingSize of [0, 65_537])
      assert.throws(
        () => decodeTrafficUpdate(updateOf({ kind: "ring-hash", hashOn: COOKIE, minimumRingSize })),
        /loadBalancer/,
      );
  });
});
