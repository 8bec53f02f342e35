// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

const TIMES = { interval: "5s", timeout: "1s", unhealthyThreshold: 3, healthyThreshold: 2 };

function faultsOf(spec: object, kind = "HealthCheck", apiVersion = "purser.dev/v1"): readonly string[] {
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: "x" }, spec });
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

describe("a HealthCheck", () => {
  it("has exactly one probe", () => {
    const valid = { host: "a", ...TIMES };
    assert.deepEqual(faultsOf({ ...valid, tcp: {} }), []);
    assert.deepEqual(faultsOf({ ...valid, grpc: {} }), []);
    assert.deepEqual(faultsOf({ ...valid, http: { path: "/" } }), []);
    for (const probes of [{}, { tcp: {}, grpc: {} }, { tcp: {}, grpc: {}, http: { path: "/" } }])
      assert.match(
        faultsOf({ ...valid, ...probes }).join(),
        /Exactly one of http, tcp and grpc must be given/,
      );
  });

  for (const [what, spec, expected] of [
    ["no threshold", { unhealthyThreshold: undefined }, /unhealthyThreshold/],
    ["a threshold of 0", { healthyThreshold: 0 }, /from 1 to/],
    ["an interval of 0", { interval: "0s" }, /interval must be at least 1ms/],
    ["a timeout below 1 ms", { timeout: "0.4ms" }, /timeout must be at least 1ms/],
    [
      "an interval of 0 without traffic",
      { noTrafficInterval: "0s" },
      /noTrafficInterval must be at least 1ms/,
    ],
    ["a wildcard", { host: "*.example.com" }, /host name/],
    ["a path without a slash", { http: { path: "healthz" } }, /begins with a slash/],
    ["a path with a line end", { http: { path: "/a\r\nx: y" } }, /begins with a slash/],
    ["a method that opens a tunnel", { http: { path: "/", method: "CONNECT" } }, /method/],
    ["no statuses", { http: { path: "/", expectedStatuses: [] } }, /expectedStatuses/],
    [
      "an empty range",
      { http: { path: "/", expectedStatuses: [{ start: 204, end: 204 }] } },
      /The range ends before status 204, so it must be above 204/,
    ],
    [
      "a header that frames a message",
      { http: { path: "/", headers: { "Content-Length": "1" } } },
      /framing|frame|Content-Length/,
    ],
    ["a header with a line end", { http: { path: "/", headers: { a: "b\r\nc: d" } } }, /a/],
    ["an unknown field", { http: { path: "/", body: "x" } }, /has no field "body"/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      const faults = faultsOf({ host: "a", http: { path: "/" }, ...TIMES, ...spec });
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.match(faults.join(), expected);
    });
  }
});

describe("the outlier detection of a DestinationRule", () => {
  const rule = (trafficPolicy: object) =>
    faultsOf({ host: "a", trafficPolicy }, "DestinationRule", "networking.istio.io/v1");

  it("has Istio's fields", () => {
    const outlierDetection = {
      consecutive5xxErrors: 7,
      consecutiveGatewayErrors: 0,
      splitExternalLocalOriginErrors: true,
      consecutiveLocalOriginFailures: 3,
      interval: "5m",
      baseEjectionTime: "15m",
      maxEjectionPercent: 100,
      minHealthPercent: 50,
    };
    const port = { port: { number: 80 }, outlierDetection };
    assert.deepEqual(rule({ outlierDetection, portLevelSettings: [port] }), []);
  });

  for (const [what, policy, expected] of [
    [
      "an interval of 0",
      { outlierDetection: { interval: "0s" } },
      /x:1:\d+: error: interval must be at least 1ms/,
    ],
    [
      "a base time of 0",
      { outlierDetection: { baseEjectionTime: "0s" } },
      /baseEjectionTime must be at least 1ms/,
    ],
    ["a percentage of 0", { outlierDetection: { maxEjectionPercent: 0 } }, /from 1 to 100/],
    [
      "Istio's removed field",
      { outlierDetection: { consecutiveErrors: 5 } },
      /has no field "consecutiveErrors"/,
    ],
    [
      "a port twice",
      { portLevelSettings: [{ port: { number: 80 } }, { port: { number: 80 } }] },
      /Port 80 is listed twice/,
    ],
    [
      "a short interval of a port",
      { portLevelSettings: [{ port: { number: 80 }, outlierDetection: { interval: "0s" } }] },
      /interval must be at least 1ms/,
    ],
    [
      "a retry budget of a port",
      { portLevelSettings: [{ port: { number: 80 }, retryBudget: {} }] },
      /has no field "retryBudget"/,
    ],
    ["a percentage above 100", { retryBudget: { percent: 101 } }, /from 0 to 100/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      const faults = rule(policy);
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.match(faults.join(), expected);
    });
  }
});
