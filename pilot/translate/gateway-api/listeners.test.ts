// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { document, EDGE, httpRoute, routed, service, to } from "../../../test/support/gateway-api.ts";
import { trafficDocuments } from "../../../test/support/traffic-documents.ts";
import { translate } from "../translate.ts";

const SERVICES = service("a") + service("b");

const gateway = (listeners: readonly object[], metadata: object | string = "gw") =>
  document("Gateway", metadata, { gatewayClassName: "purser", listeners });
const listener = (name: string, more: object = {}) => ({ name, port: 8_080, protocol: "HTTP", ...more });
const from = (namespaces: object) => ({ allowedRoutes: { namespaces } });
const all = (name: string, more: object = {}, metadata: object | string = name) =>
  httpRoute([{ backendRefs: [to(name, { namespace: "default" })] }], more, metadata);
const listenersOf = (text: string, labels: Readonly<Record<string, string>> = {}) =>
  translate(trafficDocuments(text), { ...EDGE, labels }).listeners.resources;

describe("a Gateway's listeners", () => {
  it("serve the hosts that they and the route have in common", () => {
    const text = gateway([listener("http", { hostname: "*.example.com" })]) + SERVICES;
    const hosts = (hostnames: readonly string[], host: string) =>
      routed(text + all("a", { hostnames }), { host });
    assert.equal(hosts(["a.example.com", "a.test"], "a.example.com"), "a=1");
    assert.equal(hosts(["a.example.com", "a.test"], "a.test"), "404");
    assert.equal(hosts(["a.example.com"], "b.example.com"), "404");
    assert.equal(hosts(["*.a.example.com"], "x.a.example.com"), "a=1");
    assert.equal(hosts([], "x.a.example.com"), "a=1");
    assert.equal(hosts([], "example.com"), "404");
    assert.equal(hosts(["*.com"], "b.example.com"), "a=1");
  });

  it("are chosen by name and port", () => {
    const text = gateway([listener("one"), listener("two", { port: 8_081 })]) + SERVICES;
    const at = (parent: object, table: string) =>
      routed(text + all("a", { parentRefs: [{ name: "gw", ...parent }] }), {}, EDGE, table);
    assert.equal(at({}, "http.8080"), "a=1");
    assert.equal(at({}, "http.8081"), "a=1");
    assert.equal(at({ sectionName: "two" }, "http.8080"), "404");
    assert.equal(at({ sectionName: "two" }, "http.8081"), "a=1");
    assert.equal(at({ port: 8_080 }, "http.8081"), "404");
    assert.equal(at({ namespace: "shop" }, "http.8080"), "404");
    assert.equal(at({ group: "networking.istio.io" }, "http.8080"), "404");
  });

  it("do not answer for the host of another listener, which has no such route", () => {
    const listeners = [listener("wide"), listener("narrow", { hostname: "*.example.com" })];
    const wide = all("a", { parentRefs: [{ name: "gw", sectionName: "wide" }] });
    const text = gateway(listeners) + SERVICES + wide;
    assert.equal(routed(text, { host: "a.test" }), "a=1");
    assert.equal(routed(text, { host: "a.example.com" }), "404");
    const narrow = all("b", {
      parentRefs: [{ name: "gw", sectionName: "narrow" }],
      hostnames: ["b.example.com"],
    });
    assert.equal(routed(text + narrow, { host: "b.example.com" }), "b=1");
    assert.equal(routed(text + narrow, { host: "a.example.com" }), "404");
  });

  it("give a host to the most specific of them, whose allowedRoutes decide", () => {
    const listeners = [
      listener("wide", from({ from: "All" })),
      listener("narrow", { hostname: "*.example.com" }),
      listener("exact", { hostname: "x.example.com" }),
    ];
    const foreign = (hostnames: readonly string[]) =>
      all(
        "a",
        { parentRefs: [{ name: "gw", namespace: "default" }], hostnames },
        { name: "foreign", namespace: "shop" },
      );
    const grant = document(
      "ReferenceGrant",
      { name: "shop", namespace: "default" },
      {
        from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" }],
        to: [{ group: "", kind: "Service" }],
      },
    );
    const text = gateway(listeners) + SERVICES + grant;
    for (const host of ["a.example.com", "*.example.com", "x.example.com", "*.a.example.com"])
      assert.equal(routed(text + foreign([host]), { host: host.replace("*", "b") }), "404", host);
    assert.equal(routed(text + foreign(["a.test"]), { host: "a.test" }), "a=1");
    assert.equal(routed(text + foreign(["*.com"]), { host: "a.com" }), "a=1");
    assert.equal(routed(text + foreign(["*.com"]), { host: "a.example.com" }), "404");
    const own = all("b", {
      hostnames: ["x.example.com"],
      parentRefs: [{ name: "gw", sectionName: "narrow" }],
    });
    assert.equal(routed(text + own, { host: "x.example.com" }), "404");
  });

  it("take routes of the namespaces and kinds that they allow, by default their own namespace's", () => {
    const outcome = (more: object, namespace: string) => {
      const parentRefs = [{ name: "gw", namespace: "default" }];
      const grant = document(
        "ReferenceGrant",
        { name: "g", namespace: "default" },
        {
          from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" }],
          to: [{ group: "", kind: "Service" }],
        },
      );
      const route = all("a", { parentRefs }, { name: "a", namespace });
      return routed(gateway([listener("http", more)]) + SERVICES + grant + route, {});
    };
    assert.equal(outcome({}, "default"), "a=1");
    assert.equal(outcome({}, "shop"), "404");
    assert.equal(outcome(from({ from: "All" }), "shop"), "a=1");
    assert.equal(outcome(from({ from: "None" }), "default"), "404");
    const named = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
    assert.equal(outcome(from({ from: "Selector", selector: named("shop") }), "shop"), "a=1");
    assert.equal(outcome(from({ from: "Selector", selector: named("shop") }), "default"), "404");
    assert.equal(
      outcome(from({ from: "Selector", selector: { matchLabels: { team: "shop" } } }), "shop"),
      "404",
    );
    assert.equal(outcome({ allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }, "default"), "404");
  });

  it("end TLS with the Secret's folder, which another namespace must grant", () => {
    const https = (certificate: object) =>
      gateway([
        listener("https", {
          port: 8_443,
          protocol: "HTTPS",
          hostname: "a.example.com",
          tls: { certificateRefs: [certificate] },
        }),
      ]) +
      SERVICES +
      all("a");
    const [served] = listenersOf(https({ name: "site" }));
    const [tls] = served?.tlsServers ?? [];
    assert.deepEqual(tls?.credential, {
      credentialName: "site",
      certificateFile: "tls.crt",
      privateKeyFile: "tls.key",
    });
    assert.equal(routed(https({ name: "site" }), {}, EDGE, tls?.routeTable), "a=1");
    const elsewhere = https({ name: "site", namespace: "certs" });
    assert.deepEqual(listenersOf(elsewhere), []);
    const grant = document(
      "ReferenceGrant",
      { name: "g", namespace: "certs" },
      {
        from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "default" }],
        to: [{ group: "", kind: "Secret" }],
      },
    );
    assert.equal(listenersOf(elsewhere + grant).length, 1);
  });

  it("are served by every edge, or by the edges with the Gateway's name as their label", () => {
    const text =
      gateway([listener("http")]) + gateway([listener("http", { port: 8_081 })], "other") + SERVICES;
    const label = "gateway.networking.k8s.io/gateway-name";
    const ports = (labels: Readonly<Record<string, string>>) =>
      listenersOf(text, labels).map(({ port }) => port);
    assert.deepEqual(ports({}), [8_080, 8_081]);
    assert.deepEqual(ports({ [label]: "other" }), [8_081]);
    // Without a Gateway of its own, an edge does not expose the whole mesh.
    assert.deepEqual(ports({ [label]: "third" }), []);
  });

  it("yield to earlier Gateways on an edge for all of them, as an edge for one of them does not", () => {
    const https = (name: string) =>
      gateway(
        [listener("https", { port: 8_443, protocol: "HTTPS", tls: { certificateRefs: [{ name }] } })],
        name,
      );
    const text =
      https("one") +
      https("two") +
      gateway([listener("plain", { port: 8_443 })], "three") +
      SERVICES +
      all("a", { parentRefs: [{ name: "two" }] });
    const folders = (labels: Readonly<Record<string, string>>) =>
      listenersOf(text, labels).flatMap(({ tlsServers }) =>
        (tlsServers ?? []).map(({ credential }) => credential.credentialName),
      );
    const label = "gateway.networking.k8s.io/gateway-name";
    assert.deepEqual(folders({}), ["one"]);
    assert.deepEqual(folders({ [label]: "two" }), ["two"]);
    assert.deepEqual(folders({ [label]: "three" }), []);
  });

  it("forward connections by TLSRoutes and TCPRoutes", () => {
    const text =
      gateway([
        listener("pass", { port: 8_443, protocol: "TLS", tls: { mode: "Passthrough" } }),
        listener("end", { port: 8_444, protocol: "TLS", tls: { certificateRefs: [{ name: "site" }] } }),
        listener("tcp", { port: 9_000, protocol: "TCP" }),
      ]) +
      SERVICES +
      document("TLSRoute", "tls", {
        parentRefs: [{ name: "gw" }],
        hostnames: ["a.example.com"],
        rules: [{ backendRefs: [to("a", { weight: 3 }), to("none")] }],
      }) +
      document("TCPRoute", "tcp", {
        parentRefs: [{ name: "gw", sectionName: "tcp" }],
        rules: [{ backendRefs: [to("b")] }],
      });
    const tables = listenersOf(text).flatMap(({ tcp }) => tcp?.tables ?? []);
    assert.deepEqual(
      tables.map(({ routes }) =>
        routes.map(({ matches, destinations }) => [
          matches.map(({ serverNames }) => serverNames),
          destinations.map(({ cluster, weight }) => [cluster, weight]),
        ]),
      ),
      [
        [
          [
            [["a.example.com"]],
            [
              ["outbound|80||a.default.svc.cluster.local", 3],
              ["outbound|8443||backend.invalid", 1],
            ],
          ],
        ],
        [
          [
            [["a.example.com"]],
            [
              ["outbound|80||a.default.svc.cluster.local", 3],
              ["outbound|8444||backend.invalid", 1],
            ],
          ],
        ],
        [[[[]], [["outbound|80||b.default.svc.cluster.local", 1]]]],
      ],
    );
  });
});
