// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { STATUS_CODES } from "../../../kernel/status.ts";
import { parseDocuments } from "../parse-documents.ts";

const TO_A = { route: [{ destination: { host: "a" } }] };

/** The faults of a VirtualService, a line each. */
function faultsOfSpec(spec: object): string {
  const text = JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "x" },
    spec,
  });
  return parseDocuments({ path: "x", text })
    .diagnostics.map((diagnostic) => formatDiagnostic(diagnostic))
    .join("\n");
}

const faultsOfRoute = (route: object): string => faultsOfSpec({ hosts: ["a"], http: [route] });

describe("a VirtualService", () => {
  it("says of each field of Istio's that it does not take what to write instead", () => {
    const percentage = { value: 1 };
    const cases: readonly (readonly [spec: object, expected: RegExp])[] = [
      [
        { tcp: [{ ...TO_A, match: [{ sourceSubnet: "10.0.0.0/8" }] }] },
        /sourceSubnet is not supported: .*test source\.ip/,
      ],
      [{ http: [{ ...TO_A, mirrorPercent: 5 }] }, /mirrorPercent .*write mirrorPercentage/],
      [{ http: [{ ...TO_A, match: [{ statPrefix: "a" }] }] }, /count by the attribute route\.name/],
      [
        { http: [{ ...TO_A, fault: { delay: { percent: 5, fixedDelay: "1s", percentage } } }] },
        /delay\.percent .*write percentage/,
      ],
      [{ http: [{ ...TO_A, fault: { delay: { exponentialDelay: "1s", percentage } } }] }, /write fixedDelay/],
      [
        { http: [{ ...TO_A, fault: { abort: { percent: 5, httpStatus: 500, percentage } } }] },
        /abort\.percent .*write percentage/,
      ],
      [
        { http: [{ ...TO_A, fault: { abort: { http2Error: "X", percentage } } }] },
        /write httpStatus or grpcStatus/,
      ],
    ];
    for (const [spec, expected] of cases)
      assert.match(faultsOfSpec({ hosts: ["a"], http: [TO_A], ...spec }), expected, JSON.stringify(spec));
  });

  it("matches on the caller in matches for sidecars alone", () => {
    const callers = { sourceLabels: { app: "web" }, sourceNamespace: "shop" };
    const faults = (match: object, gateways?: readonly string[]) =>
      faultsOfSpec({ hosts: ["a"], ...(gateways ? { gateways } : {}), http: [{ ...TO_A, match: [match] }] });
    assert.equal(faults(callers), "");
    assert.equal(faults(callers, ["edge/public", "mesh"]), "");
    const both = faults({ ...callers, gateways: ["mesh"] }).split("\n");
    assert.equal(both.length, 2);
    assert.match(both[0] ?? "", /either gateways or sourceLabels, since Istio ignores sourceLabels/);
    assert.match(faults(callers, ["edge/public"]), /sourceLabels is about sidecars: list the gateway mesh/);
    assert.match(faults({ sourceLabels: {} }), /sourceLabels/);
    assert.match(faults({ sourceLabels: { app: 1 } }), /sourceLabels\.app must be/);
    assert.match(faults({ sourceNamespace: "" }), /sourceNamespace/);
  });

  it("hedges requests when an attempt has a timeout and there is another attempt", () => {
    const purser = { hedgeOnPerTryTimeout: true };
    const hedging = (more: object, hosts?: readonly string[]) =>
      faultsOfSpec({ ...(hosts ? { hosts } : {}), http: [{ ...TO_A, purser, ...more }] });
    const retries = { attempts: 1, perTryTimeout: "1s" };
    assert.equal(hedging({ retries }, ["a"]), "");
    assert.match(hedging({}, ["a"]), /^x:1:\d+: error: .*perTryTimeout, which the route lacks/);
    assert.match(hedging({ retries: { attempts: 1, perTryTimeout: "0s" } }, ["a"]), /which the route lacks/);
    assert.match(hedging({ retries: { ...retries, attempts: 0 } }, ["a"]), /no second attempt can begin/);
    // A delegate may have the retries of the route that delegates.
    assert.equal(hedging({}), "");
    assert.match(hedging({ retries: { attempts: 1 } }), /which the route lacks/);
    assert.match(faultsOfRoute({ ...TO_A, purser: {} }), /purser/);
    assert.match(faultsOfRoute({ ...TO_A, purser: { hedgeOnTimeout: true } }), /purser has no field/);
    assert.match(faultsOfRoute({ directResponse: { status: 200 }, purser }), /has no use for purser/);
  });

  it("splits requests by exactly one value, among several destinations", () => {
    const destinations = ["a", "b"].map((host) => ({ destination: { host }, weight: 1 }));
    const faults = (splitBy: object, route: readonly object[] = destinations) =>
      faultsOfRoute({ route, purser: { splitBy } });
    assert.equal(faults({ httpHeaderName: "x-user" }), "");
    assert.equal(faults({ httpCookie: { name: "c", ttl: "1h" } }), "");
    assert.match(faults({}), /splitBy needs exactly one of httpHeaderName, .*; this one has none/);
    assert.match(faults({ useSourceIp: false }), /this one has none/);
    assert.match(faults({ httpHeaderName: "a", useSourceIp: true }), /httpHeaderName and useSourceIp/);
    assert.match(faults({ useSourceIp: true, maglev: {} }), /has no field "maglev"/);
    assert.match(faults({ useSourceIp: true }, destinations.slice(1)), /The route has one destination/);
    const attributes = [{ name: "Path", value: "/" }];
    assert.match(faults({ httpCookie: { name: "c", attributes } }), /is written by the field path/);
  });

  it("matches on the caller in a delegate too", () => {
    const http = [{ ...TO_A, match: [{ sourceLabels: { app: "web" } }] }];
    assert.equal(faultsOfSpec({ http }), "");
  });

  it("redirects to one port", () => {
    assert.equal(faultsOfRoute({ redirect: { derivePort: "FROM_REQUEST_PORT" } }), "");
    assert.match(faultsOfRoute({ redirect: { derivePort: "REQUEST" } }), /must be FROM_PROTOCOL_DEFAULT or/);
    const both = { redirect: { port: 81, derivePort: "FROM_PROTOCOL_DEFAULT" } };
    assert.match(faultsOfRoute(both), /either port or derivePort/);
  });

  it("responds directly with a text or with bytes in base64", () => {
    const faults = (body: object) => faultsOfRoute({ directResponse: { status: 200, body } });
    for (const bytes of ["", "AA==", "AA", "AAA=", "AAA", "AAAA", "+/+/", "-_-_", "A".repeat(87_384)])
      assert.equal(faults({ bytes }), "", bytes.slice(0, 10));
    for (const bytes of [
      "A",
      "AAAAA",
      "AA=",
      "A===",
      "AAAA=",
      "+_",
      "AAAA\n",
      "AA AA",
      "Ä",
      "A".repeat(87_388),
    ])
      assert.match(faults({ bytes }), /must be base64 of at most 64 KiB/, bytes.slice(0, 10));
    assert.notEqual(faults({ string: "a", bytes: "AA==" }), "");
    assert.notEqual(faults({}), "");
  });

  it("aborts with an HTTP status or a gRPC status", () => {
    const faults = (abort: object) =>
      faultsOfRoute({ ...TO_A, fault: { abort: { percentage: { value: 1 }, ...abort } } });
    for (const grpcStatus of STATUS_CODES) assert.equal(faults({ grpcStatus }), "");
    for (const grpcStatus of ["14", 14, "unavailable", ""])
      assert.match(faults({ grpcStatus }), /grpcStatus must be/, String(grpcStatus));
    assert.match(faults({}), /An abort has either httpStatus or grpcStatus/);
    assert.match(faults({ httpStatus: 500, grpcStatus: "INTERNAL" }), /either httpStatus or grpcStatus/);
  });
});
