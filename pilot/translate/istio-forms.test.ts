// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

// Forms of Istio's documents that its samples use.

const EDGE: ProxyNode = { role: "edge", id: "e", host: "127.0.0.1", port: 8000, trustedHops: 0 };
const SIDECAR: ProxyNode = {
  role: "sidecar",
  id: "s",
  host: "127.0.0.1",
  service: "ratings",
  outboundPort: 15001,
  labels: { app: "ratings" },
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 9080 },
};
const faultsOf = (text: string) =>
  parseDocuments({ path: "f", text }).diagnostics.map(({ message }) => message);
const gateway = (name: string, port: number, selector?: object) =>
  istioDocument(
    "Gateway",
    { name },
    {
      ...(selector === undefined ? {} : { selector }),
      servers: [{ port: { number: port, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
    },
  );
const entry = (more: object, hosts = ["ratings"]) =>
  istioDocument(
    "ServiceEntry",
    { name: "ratings" },
    { hosts, ports: [{ number: 80, name: "http", protocol: "HTTP" }], resolution: "DNS", ...more },
  );
const portsOf = (text: string, node: ProxyNode) =>
  translate(trafficDocuments(text), node).listeners.resources.map(({ host, port }) => `${host}:${port}`);

describe("a Gateway's selector", () => {
  const all =
    gateway("in", 8001, { istio: "ingressgateway" }) +
    gateway("out", 8002, { istio: "egressgateway" }) +
    gateway("own", 8003, { app: "shop" }) +
    gateway("any", 8004);

  it("chooses the edges that serve it, by their labels", () => {
    assert.deepEqual(portsOf(all, EDGE), ["127.0.0.1:8001", "127.0.0.1:8004"]);
    const labelled = (labels: Readonly<Record<string, string>>) => portsOf(all, { ...EDGE, labels });
    assert.deepEqual(labelled({ istio: "egressgateway" }), ["127.0.0.1:8002", "127.0.0.1:8004"]);
    assert.deepEqual(labelled({ app: "shop" }), ["127.0.0.1:8001", "127.0.0.1:8003", "127.0.0.1:8004"]);
  });

  it("leaves an edge that no Gateway selects without listeners, not open to the whole mesh", () => {
    const text = gateway("out", 8002, { istio: "egressgateway" }) + entry({ location: "MESH_INTERNAL" });
    assert.deepEqual(portsOf(text, EDGE), []);
    assert.deepEqual(portsOf(entry({ location: "MESH_INTERNAL" }), EDGE), ["127.0.0.1:8000"]);
  });
});

describe("a Sidecar's ingress", () => {
  const sidecar = (ingress: object[]) =>
    istioDocument("Sidecar", { name: "s" }, { workloadSelector: { labels: { app: "ratings" } }, ingress });
  const port = (number: number) => ({ number, protocol: "HTTP", name: "http" });

  it("replaces the inbound port of the flags, for the workloads that it selects", () => {
    const text =
      entry({}) +
      sidecar([
        { port: port(7000), defaultEndpoint: "127.0.0.1:8080" },
        { bind: "127.0.0.2", port: port(7001), defaultEndpoint: "[::1]:7001", captureMode: "NONE" },
      ]);
    const { listeners, routes, clusters, endpoints } = translate(trafficDocuments(text), SIDECAR);
    assert.deepEqual(
      listeners.resources.map(({ host, port: number, routeTable }) => `${host}:${number} ${routeTable}`),
      ["127.0.0.1:15001 outbound", "127.0.0.1:7000 inbound_7000", "127.0.0.2:7001 inbound_7001"],
    );
    const inbound = clusters.resources.map(({ name }) => name).filter((name) => name.startsWith("inbound"));
    assert.deepEqual(inbound, ["inbound|7001||", "inbound|8080||"]);
    assert.deepEqual(
      endpoints.resources
        .filter(({ name }) => inbound.includes(name))
        .map(({ endpoints: [first] }) => first?.address),
      ["::1", "127.0.0.1"],
    );
    assert.equal(routes.resources.filter(({ name }) => name.startsWith("inbound_")).length, 2);
    const other = { ...SIDECAR, labels: { app: "other" } };
    assert.deepEqual(portsOf(text, other), ["127.0.0.1:15001", "127.0.0.1:15006"]);
  });

  it("speaks to the application in the protocol of its port", () => {
    const table = [
      ["HTTP", undefined, undefined],
      ["grpc", "http2", undefined],
      ["GRPC-WEB", "http2", true],
    ] as const;
    for (const [protocol, upstream, grpcWeb] of table) {
      const ingress = [{ port: { ...port(7000), protocol }, defaultEndpoint: "127.0.0.1:8080" }];
      const { clusters } = translate(trafficDocuments(entry({}) + sidecar(ingress)), SIDECAR);
      const inbound = clusters.resources.find(({ name }) => name === "inbound|8080||");
      assert.deepEqual([inbound?.protocol, inbound?.grpcWeb], [upstream, grpcWeb], protocol);
    }
  });

  it("cannot send a sidecar's calls to itself, nor out of the machine", () => {
    assert.deepEqual(faultsOf(sidecar([{ port: port(8080), defaultEndpoint: "127.0.0.1:8080" }])), [
      "The sidecar would call itself: the application needs another port, or the sidecar an address in bind",
    ]);
    for (const defaultEndpoint of [
      "10.0.0.1:80",
      "unix:///a.sock",
      "127.0.0.1:0",
      "localhost:80",
      "127.0.0.1:99999",
    ])
      assert.equal(faultsOf(sidecar([{ port: port(7000), defaultEndpoint }])).length, 1, defaultEndpoint);
  });
});

describe("a ServiceEntry of Istio's", () => {
  it("is called by its addresses too, but not by blocks of them", () => {
    const text = entry({ addresses: ["10.9.9.9", "fd00:0::9", "10.0.0.0/8"] });
    const [table] = translate(trafficDocuments(text), SIDECAR).routes.resources.filter(
      ({ name }) => name === "outbound",
    );
    assert.deepEqual(table?.virtualHosts[0]?.domains.slice(-2), ["10.9.9.9", "[fd00::9]"]);
  });

  it("has itself as the address with the resolution NONE, and may write protocols in small letters", () => {
    const ports = [{ number: 443, name: "https", protocol: "http" }];
    const text = entry({ resolution: "NONE", ports }, ["api.example.com"]);
    const { endpoints, clusters } = translate(trafficDocuments(text), SIDECAR);
    const outbound = endpoints.resources.find(({ name }) => name.startsWith("outbound"));
    assert.deepEqual(outbound?.endpoints, [
      { address: "api.example.com", lookup: "all", port: 443, weight: 1, labels: {} },
    ]);
    assert.equal(clusters.resources.find(({ name }) => name.startsWith("outbound"))?.protocol, undefined);
    assert.match(
      faultsOf(entry({ resolution: "NONE", endpoints: [{ address: "10.0.0.1" }] })).join(),
      /NONE has no endpoints/,
    );
  });
});

describe("a route to what is not declared", () => {
  const route = (destination: object) =>
    istioDocument("VirtualService", { name: "v" }, { hosts: ["shop"], http: [{ route: [{ destination }] }] });
  const missing = (text: string) =>
    translate(trafficDocuments(text), SIDECAR)
      .clusters.resources.filter(({ isMissing }) => isMissing)
      .map(({ name }) => name);

  it("has a missing cluster, for a service, a port and a subset, until the document is there", () => {
    const rule = istioDocument(
      "DestinationRule",
      { name: "r" },
      { host: "ratings", subsets: [{ name: "v1" }] },
    );
    assert.deepEqual(missing(route({ host: "ratings" })), ["outbound|80||ratings"]);
    assert.deepEqual(missing(entry({}) + route({ host: "ratings" })), []);
    assert.deepEqual(missing(entry({}) + route({ host: "ratings", port: { number: 81 } })), [
      "outbound|81||ratings",
    ]);
    assert.deepEqual(missing(entry({}) + route({ host: "ratings", subset: "v1" })), [
      "outbound|80|v1|ratings",
    ]);
    assert.deepEqual(missing(entry({}) + rule + route({ host: "ratings", subset: "v1" })), []);
  });
});

describe("a match of the scheme", () => {
  it("is one of x-forwarded-proto, and cannot stand beside it", () => {
    const match = { scheme: { exact: "https" } };
    const spec = { hosts: ["shop"], http: [{ match: [match], directResponse: { status: 204 } }] };
    const { routes } = translate(
      trafficDocuments(istioDocument("VirtualService", { name: "v" }, spec)),
      SIDECAR,
    );
    const [table] = routes.resources.filter(({ name }) => name === "outbound");
    assert.deepEqual(table?.virtualHosts[0]?.routes[0]?.matches[0]?.headers, {
      "x-forwarded-proto": { kind: "exact", value: "https" },
    });
    const both = { ...match, headers: { "X-Forwarded-Proto": { exact: "http" } } };
    const twice = { hosts: ["shop"], http: [{ match: [both], directResponse: { status: 204 } }] };
    assert.deepEqual(faultsOf(istioDocument("VirtualService", { name: "v" }, twice)), [
      "A match has either scheme or the header X-Forwarded-Proto",
    ]);
  });
});
