// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  document,
  EDGE,
  GATEWAY,
  httpRoute,
  routed,
  service,
  sidecarIn,
  to,
} from "../../../test/support/gateway-api.ts";
import { trafficDocuments } from "../../../test/support/traffic-documents.ts";
import { translate } from "../translate.ts";

const SERVICES = service("a") + service("b") + service("other", "shop");

const filtered = (
  filter: object,
  matches: readonly object[],
  backendRefs: readonly object[] = [to("a")],
) => ({
  matches,
  filters: [filter],
  backendRefs,
});
const prefix = (value: string) => [{ path: { type: "PathPrefix", value } }];
const redirect = (requestRedirect: object) => ({ type: "RequestRedirect", requestRedirect });
const rewrite = (urlRewrite: object) => ({ type: "URLRewrite", urlRewrite });
const replacePrefix = (replacePrefixMatch: string) => ({ type: "ReplacePrefixMatch", replacePrefixMatch });

describe("HTTPRoutes", () => {
  it("divide requests by weight, 1 by default and none for 0", () => {
    const refs = [to("a", { weight: 9 }), to("b"), to("a", { weight: 0 })];
    assert.equal(routed(GATEWAY + SERVICES + httpRoute([{ backendRefs: refs }]), {}), "a=9 b=1");
  });

  it("answer 500 for the share of wrong references, and without any destination", () => {
    const refused = (backendRefs: readonly object[], more = "") =>
      routed(GATEWAY + SERVICES + more + httpRoute([{ backendRefs }]), {});
    assert.equal(refused([]), "500");
    assert.equal(refused([to("a", { weight: 0 })]), "500");
    assert.equal(refused([to("none")]), "500");
    assert.equal(refused([{ name: "a", port: 81 }]), "500");
    assert.equal(refused([{ group: "multicluster.x-k8s.io", kind: "ServiceImport", name: "a" }]), "500");
    assert.equal(refused([to("a", { weight: 3 }), to("none")]), "a=3 25%:500");
    assert.equal(refused([to("a"), to("none", { weight: 0 })]), "a=1");
  });

  it("reach another namespace only by a grant there, for the kind, namespace and name", () => {
    const refs = [{ backendRefs: [to("other", { namespace: "shop" })] }];
    const grant = (from: object, to: object, namespace = "shop") =>
      document(
        "ReferenceGrant",
        { name: "g", namespace },
        {
          from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default", ...from }],
          to: [{ group: "", kind: "Service", ...to }],
        },
      );
    const outcome = (text: string) => routed(GATEWAY + SERVICES + text + httpRoute(refs), {});
    assert.equal(outcome(""), "500");
    assert.equal(outcome(grant({}, {})), "other=1");
    assert.equal(outcome(grant({}, { name: "other" })), "other=1");
    assert.equal(outcome(grant({}, { name: "another" })), "500");
    assert.equal(outcome(grant({ namespace: "foo" }, {})), "500");
    assert.equal(outcome(grant({ kind: "GRPCRoute" }, {})), "500");
    assert.equal(outcome(grant({}, { kind: "Secret" })), "500");
    assert.equal(outcome(grant({}, {}, "default")), "500");
  });

  it("rewrite prefixes by segments, whole paths and hosts", () => {
    // The table of HTTPPathModifier in the API reference.
    for (const [path, matched, replacement, expected] of [
      ["/foo/bar", "/foo", "/xyz", "/xyz/bar"],
      ["/foo/bar", "/foo", "/xyz/", "/xyz/bar"],
      ["/foo/bar", "/foo/", "/xyz", "/xyz/bar"],
      ["/foo/bar", "/foo/", "/xyz/", "/xyz/bar"],
      ["/foo", "/foo", "/xyz", "/xyz"],
      ["/foo/", "/foo", "/xyz", "/xyz/"],
      ["/foo/bar", "/foo", "", "/bar"],
      ["/foo/", "/foo", "", "/"],
      ["/foo", "/foo", "", "/"],
      ["/foo/", "/foo", "/", "/"],
      ["/foo", "/foo", "/", "/"],
      ["/bar", "/", "/v1", "/v1/bar"],
      ["/", "/", "/v1", "/v1/"],
    ] as const) {
      const path_ = replacePrefix(replacement);
      const text = (filter: object, refs: readonly object[]) =>
        GATEWAY + SERVICES + httpRoute([filtered(filter, prefix(matched), refs)]);
      const label = `${path} ${matched} ${replacement}`;
      assert.equal(routed(text(rewrite({ path: path_ }), [to("a")]), { path }), `a=1 ${expected}`, label);
      assert.equal(
        routed(text(redirect({ path: path_ }), []), { path, query: "?q=1" }),
        `302 http://a.example.com:8080${expected}?q=1`,
        label,
      );
    }
    const whole = rewrite({ hostname: "b.test", path: { type: "ReplaceFullPath", replaceFullPath: "/new" } });
    const text = GATEWAY + SERVICES + httpRoute([filtered(whole, prefix("/old"))]);
    for (const path of ["/old", "/old/x"]) assert.equal(routed(text, { path }), "a=1 host:b.test /new");
    assert.equal(routed(text, { path: "/older" }), "404");
  });

  it("redirect to the port of the filter, of its scheme, or of the listener", () => {
    const location = (filter: object, host = "a.example.com:8080") =>
      routed(GATEWAY + httpRoute([{ filters: [redirect(filter)] }]), { host, path: "/x" });
    assert.equal(location({ scheme: "https" }), "302 https://a.example.com/x");
    assert.equal(location({ scheme: "https", port: 443, statusCode: 301 }), "301 https://a.example.com/x");
    assert.equal(location({ scheme: "https", port: 8443 }), "302 https://a.example.com:8443/x");
    assert.equal(location({ hostname: "b.test" }), "302 http://b.test:8080/x");
    assert.equal(location({ hostname: "b.test", port: 80, statusCode: 308 }), "308 http://b.test/x");
    assert.equal(
      location({ path: { type: "ReplaceFullPath", replaceFullPath: "/y" }, statusCode: 303 }),
      "303 http://a.example.com:8080/y",
    );
  });

  it("change headers, mirror, limit times and answer CORS", () => {
    const text =
      GATEWAY +
      SERVICES +
      httpRoute([
        {
          filters: [
            {
              type: "RequestHeaderModifier",
              requestHeaderModifier: { set: [{ name: "X-A", value: "1" }], remove: ["X-B"] },
            },
            {
              type: "ResponseHeaderModifier",
              responseHeaderModifier: { add: [{ name: "x-c", value: "2" }] },
            },
            {
              type: "RequestMirror",
              requestMirror: { backendRef: to("b"), fraction: { numerator: 1, denominator: 8 } },
            },
            {
              type: "CORS",
              cors: { allowOrigins: ["https://*.example.com", "https://b.test"], allowCredentials: true },
            },
          ],
          backendRefs: [
            to("a", {
              filters: [
                {
                  type: "RequestHeaderModifier",
                  requestHeaderModifier: { add: [{ name: "x-d", value: "3" }] },
                },
              ],
            }),
          ],
          timeouts: { request: "10s", backendRequest: "2s" },
          retry: { codes: [502, 503], attempts: 3, backoff: "100ms" },
        },
      ]);
    const [route] =
      translate(trafficDocuments(text), EDGE).routes.resources[0]?.virtualHosts[0]?.routes ?? [];
    assert.ok(route?.action.kind === "forward");
    assert.deepEqual(route.requestHeaders, { set: { "x-a": "1" }, add: {}, remove: ["x-b"] });
    assert.deepEqual(route.responseHeaders, { set: {}, add: { "x-c": "2" }, remove: [] });
    assert.deepEqual(route.action.destinations[0]?.requestHeaders.add, { "x-d": "3" });
    assert.deepEqual(route.action.mirrors, [
      { cluster: "outbound|80||b.default.svc.cluster.local", percentage: 12.5 },
    ]);
    assert.equal(route.action.timeoutMs, 10_000);
    const { retries, perTryTimeoutMs, onStatuses, backoffBaseMs } = route.action.retry;
    assert.deepEqual([retries, perTryTimeoutMs, onStatuses, backoffBaseMs], [3, 2_000, [502, 503], 100]);
    assert.deepEqual(route.cors?.allowOrigins, [
      { kind: "regex", value: "https://[A-Za-z0-9.-]+\\.example\\.com" },
      { kind: "exact", value: "https://b.test" },
    ]);
    assert.equal(route.cors?.maxAgeSeconds, 5);
  });

  it("compare the first entry of each header and parameter, in any case of the header's name", () => {
    const headers = [
      { name: "X-K", value: "1" },
      { name: "x-k", value: "2" },
    ];
    const queryParams = [{ type: "RegularExpression", name: "q", value: "[0-9]+" }];
    const text =
      GATEWAY + SERVICES + httpRoute([{ matches: [{ headers, queryParams }], backendRefs: [to("a")] }]);
    assert.equal(routed(text, { headers: { "x-k": "1" }, query: "?q=42" }), "a=1");
    assert.equal(routed(text, { headers: { "x-k": "2" }, query: "?q=42" }), "404");
    assert.equal(routed(text, { headers: { "x-k": "1" }, query: "?q=42x" }), "404");
  });
});

describe("Routes with a Service as parent", () => {
  const mesh = (namespace: string, name: string, value: string, more: object = {}) =>
    httpRoute(
      [{ matches: prefix(value), backendRefs: [to(name, { namespace: "default" })] }],
      { parentRefs: [{ group: "", kind: "Service", name: "other", namespace: "shop", ...more }] },
      { name: `${namespace}-${name}`, namespace },
    ) +
    document(
      "ReferenceGrant",
      { name: `from-${namespace}`, namespace: "default" },
      {
        from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace }],
        to: [{ group: "", kind: "Service" }],
      },
    );
  const asked = (text: string, namespace: string, path: string) =>
    routed(SERVICES + text, { host: "other.shop", path }, sidecarIn(namespace), "outbound");

  it("route the calls of every sidecar, and those of the caller's namespace alone when it has routes of its own", () => {
    const text = mesh("shop", "a", "/p") + mesh("team", "b", "/c");
    assert.equal(asked(text, "default", "/p"), "a=1");
    assert.equal(asked(text, "default", "/c"), "404");
    assert.equal(asked(text, "team", "/c"), "b=1");
    assert.equal(asked(text, "team", "/p"), "404");
    assert.equal(asked("", "team", "/p"), "other=1");
  });

  it("are for a port of the Service, by number or name", () => {
    assert.equal(asked(mesh("shop", "a", "/", { port: 80 }), "default", "/"), "a=1");
    assert.equal(asked(mesh("shop", "a", "/", { port: 81 }), "default", "/"), "404");
    assert.equal(asked(mesh("shop", "a", "/", { sectionName: "http" }), "default", "/"), "a=1");
  });

  it("do not appear at an edge", () => {
    assert.equal(routed(GATEWAY + SERVICES + mesh("shop", "a", "/"), { host: "other.shop" }), "404");
  });
});
