// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { LoadBalancerSpec } from "../../core/documents/kinds/load-balancer.ts";
import type { LoadBalancer } from "../../core/traffic/resources/load-balancer.ts";
import { loadBalancerOf } from "./load-balancer.ts";

const IP = { kind: "source-ip" } as const;

const CASES: readonly (readonly [spec: LoadBalancerSpec | undefined, loadBalancer: LoadBalancer])[] = [
  [undefined, { kind: "least-request" }],
  [{ localityLbSetting: {} }, { kind: "least-request" }],
  [{ simple: "LEAST_REQUEST" }, { kind: "least-request" }],
  [{ simple: "LEAST_CONN" }, { kind: "least-request" }],
  [{ simple: "ROUND_ROBIN" }, { kind: "round-robin" }],
  [{ simple: "RANDOM" }, { kind: "random" }],
  [
    { warmupDurationSecs: "90s" },
    { kind: "least-request", slowStart: { windowMs: 90_000, aggression: 1, minimumPercent: 10 } },
  ],
  [
    { simple: "ROUND_ROBIN", warmup: { duration: "1m", minimumPercent: 0, aggression: 2 } },
    { kind: "round-robin", slowStart: { windowMs: 60_000, aggression: 2, minimumPercent: 0 } },
  ],
  [{ consistentHash: { useSourceIp: true } }, { kind: "ring-hash", hashOn: IP, minimumRingSize: 1024 }],
  [
    { consistentHash: { useSourceIp: true, minimumRingSize: 64 } },
    { kind: "ring-hash", hashOn: IP, minimumRingSize: 64 },
  ],
  [
    { consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 7 } } },
    { kind: "ring-hash", hashOn: IP, minimumRingSize: 7 },
  ],
  [
    { consistentHash: { httpHeaderName: "X-User", maglev: {} } },
    { kind: "maglev", hashOn: { kind: "header", name: "x-user" }, tableSize: 65_537 },
  ],
  [
    { consistentHash: { httpQueryParameterName: "User", maglev: { tableSize: 101 } } },
    { kind: "maglev", hashOn: { kind: "query", name: "User" }, tableSize: 101 },
  ],
  [
    { consistentHash: { useSourceIp: false, httpCookie: { name: "S" } } },
    {
      kind: "ring-hash",
      hashOn: { kind: "cookie", name: "S", attributes: [] },
      minimumRingSize: 1024,
    },
  ],
  [
    // A part of a second is a second: Max-Age=0 would delete the cookie.
    {
      consistentHash: {
        httpCookie: { name: "s", path: "/a", ttl: "100ms", attributes: [{ name: "Secure" }] },
      },
    },
    {
      kind: "ring-hash",
      hashOn: { kind: "cookie", name: "s", path: "/a", ttlSeconds: 1, attributes: [{ name: "Secure" }] },
      minimumRingSize: 1024,
    },
  ],
];

describe("translation of a load balancer", () => {
  for (const [spec, loadBalancer] of CASES)
    it(`makes ${loadBalancer.kind} of ${JSON.stringify(spec)}`, () => {
      assert.deepEqual(loadBalancerOf(spec), loadBalancer);
    });
});
