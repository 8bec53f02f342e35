// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { decodeTrafficUpdate } from "../../api/json/discovery.ts";
import type { Route } from "../../core/traffic/resources/route.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const EDGE: ProxyNode = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 };

/** The only route of a VirtualService with this one, sent to a proxy over HTTP. */
function routeOf(http: object): Route | undefined {
  const documents = [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "routes" },
      spec: { hosts: ["shop"], http: [http] },
    },
    ...["a", "b"].map((host) => ({
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: host },
      spec: {
        hosts: [host],
        location: "MESH_INTERNAL",
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        resolution: "DNS",
      },
    })),
  ];
  const text = documents.map((document) => JSON.stringify(document)).join("\n---\n");
  const resources = translate(trafficDocuments(text), EDGE);
  const { routes } = decodeTrafficUpdate(JSON.parse(JSON.stringify(resources)));
  const hosts = routes?.resources[0]?.virtualHosts ?? [];
  return hosts.find(({ domains }) => domains.includes("shop"))?.routes[0];
}

const TO_A = { route: [{ destination: { host: "a" } }] };

function actionOf(http: object) {
  const action = routeOf(http)?.action;
  assert.ok(action?.kind === "forward");
  return action;
}

describe("the features of a route", () => {
  it("include a rewrite by a regular expression", () => {
    const rewrite = { uriRegexRewrite: { match: "^/a/(.*)", rewrite: "/\\1" }, authority: "b" };
    assert.deepEqual(actionOf({ ...TO_A, rewrite }).rewrite, {
      path: { kind: "regex", pattern: "^/a/(.*)", substitution: "/\\1" },
      authority: "b",
    });
  });

  it("include retries that may go to an endpoint again", () => {
    const repeats = (more: object) =>
      actionOf({ ...TO_A, retries: { attempts: 1, ...more } }).retry.mayRepeatEndpoints;
    assert.equal(repeats({}), undefined);
    assert.equal(repeats({ retryIgnorePreviousHosts: true, retryRemoteLocalities: false }), undefined);
    assert.equal(repeats({ retryIgnorePreviousHosts: false, retryRemoteLocalities: false }), true);
  });

  it("include hedged requests", () => {
    const purser = { hedgeOnPerTryTimeout: true };
    const retries = { attempts: 1, perTryTimeout: "1s" };
    assert.equal(actionOf({ ...TO_A, retries, purser }).retry.hedgeOnTryTimeout, true);
    assert.equal(actionOf({ ...TO_A, retries }).retry.hedgeOnTryTimeout, undefined);
  });

  it("include sticky splits", () => {
    const route = ["a", "b"].map((host) => ({ destination: { host }, weight: 1 }));
    const splitOn = (splitBy: object) => actionOf({ route, purser: { splitBy } }).splitOn;
    assert.deepEqual(splitOn({ httpHeaderName: "X-User" }), { kind: "header", name: "x-user" });
    assert.deepEqual(splitOn({ httpCookie: { name: "c", ttl: "1500ms" } }), {
      kind: "cookie",
      name: "c",
      ttlSeconds: 2,
      attributes: [],
    });
    assert.equal(actionOf(TO_A).splitOn, undefined);
  });

  it("include mirrors", () => {
    const clusters = (http: object) => actionOf({ ...TO_A, ...http }).mirrors;
    const b = "outbound|80||b";
    assert.deepEqual(clusters({ mirror: { host: "b" } }), [{ cluster: b, percentage: 100 }]);
    const half = { mirror: { host: "b", port: { number: 80 } }, mirrorPercentage: { value: 0.5 } };
    assert.deepEqual(clusters(half), [{ cluster: b, percentage: 0.5 }]);
    const several = [
      { destination: { host: "b" }, percentage: { value: 10 } },
      { destination: { host: "a" } },
      { destination: { host: "a" }, percentage: { value: 0 } },
    ];
    assert.deepEqual(clusters({ mirrors: several }), [
      { cluster: b, percentage: 10 },
      { cluster: "outbound|80||a", percentage: 100 },
    ]);
    assert.equal(clusters({ mirror: { host: "b" }, mirrorPercentage: { value: 0 } }), undefined);
  });

  it("include replies of the proxy's own", () => {
    const redirect = { derivePort: "FROM_REQUEST_PORT", scheme: "https" };
    assert.deepEqual(routeOf({ redirect })?.action, {
      kind: "redirect",
      code: 301,
      scheme: "https",
      derivePort: "request",
    });
    const directResponse = { status: 200, body: { bytes: "AP8=" } };
    assert.deepEqual(routeOf({ directResponse })?.action, {
      kind: "direct",
      status: 200,
      body: "",
      bytes: "AP8=",
      contentType: "text/plain",
    });
    const abort = { grpcStatus: "UNAVAILABLE", percentage: { value: 50 } };
    assert.deepEqual(routeOf({ ...TO_A, fault: { abort } })?.fault, {
      abort: { status: 503, grpcStatus: "UNAVAILABLE", percentage: 50 },
    });
  });

  it("include a CORS policy", () => {
    const corsPolicy = {
      allowOrigins: [{ exact: "https://a" }, { prefix: "http://localhost:" }, { regex: ".*b" }],
      allowMethods: ["GET"],
      allowHeaders: ["x-a"],
      exposeHeaders: ["x-b"],
      maxAge: "90.5s",
      unmatchedPreflights: "IGNORE",
    };
    assert.deepEqual(routeOf({ ...TO_A, corsPolicy })?.cors, {
      allowOrigins: [
        { kind: "exact", value: "https://a" },
        { kind: "prefix", value: "http://localhost:" },
        { kind: "regex", value: ".*b" },
      ],
      allowMethods: ["GET"],
      allowHeaders: ["x-a"],
      exposeHeaders: ["x-b"],
      maxAgeSeconds: 90,
      allowCredentials: false,
      forwardUnmatchedPreflights: false,
    });
    const least = routeOf({ ...TO_A, corsPolicy: { allowOrigins: [{ exact: "*" }] } })?.cors;
    assert.equal(least?.forwardUnmatchedPreflights, true);
    assert.equal("maxAgeSeconds" in least, false);
    assert.equal(routeOf(TO_A)?.cors, undefined);
  });
});
