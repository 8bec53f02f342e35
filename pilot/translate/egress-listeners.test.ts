// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { CompiledTcpTable } from "../../core/traffic/tcp-route.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { addressesOf, destinationsOf, follow } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const NODE: ProxyNode = {
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service: "caller",
  namespace: "shop",
  labels: { app: "caller" },
  outboundPort: 15001,
};

const service = (host: string, ...ports: readonly (readonly [number, string])[]) =>
  istioDocument(
    "ServiceEntry",
    { name: host, namespace: "shop" },
    {
      hosts: [host],
      ports: ports.map(([number, protocol]) => ({ number, name: `p-${number}`, protocol })),
      resolution: "STATIC",
      endpoints: [
        { address: "10.0.0.1", labels: { v: "new" } },
        { address: "10.0.0.2", labels: { v: "old" } },
      ],
    },
  );

const listening = (number: number, protocol: string, hosts: readonly string[], more: object = {}) => ({
  port: { number, protocol },
  captureMode: "NONE",
  hosts,
  ...more,
});

const sidecar = (...egress: readonly object[]) =>
  istioDocument("Sidecar", { name: "default", namespace: "shop" }, { egress });

const routes = (name: string, hosts: readonly string[], spec: object) =>
  istioDocument("VirtualService", { name, namespace: "shop" }, { hosts, ...spec });

const to = (host: string, subset?: string) => ({
  route: [{ destination: { host, ...(subset === undefined ? {} : { subset }) } }],
});

const resourcesOf = (text: string) => translate(trafficDocuments(text), NODE);

/** The clusters to which a sidecar's own listener sends a connection; undefined without a route. */
function clustersOf(text: string, serverName?: string, localIp = "127.0.0.1") {
  const { listeners } = resourcesOf(text);
  const tables = listeners.resources[1]?.tcp?.tables ?? [];
  assert.equal(tables.length, 1);
  return tables
    .map((table) => new CompiledTcpTable(table).match({ serverName, localIp }))[0]
    ?.destinations.map(({ cluster }) => cluster);
}

const REDIS = service("redis.shop", [6379, "REDIS"], [80, "HTTP"]);
const SUBSETS = istioDocument(
  "DestinationRule",
  { name: "redis", namespace: "shop" },
  { host: "redis.shop", subsets: [{ name: "new", labels: { v: "new" } }] },
);
const ON_REDIS = sidecar(listening(6379, "REDIS", ["./redis.shop"]), { hosts: ["*/*"] });

describe("a listener of a Sidecar's egress", () => {
  it("is on loopback unless bind names an address, beside the one for all services", () => {
    const text =
      REDIS + sidecar(listening(6379, "TCP", ["./*"]), listening(80, "HTTP", ["./*"], { bind: "::1" }));
    assert.deepEqual(
      resourcesOf(text).listeners.resources.map(({ name, host, port, direction }) => [
        name,
        host,
        port,
        direction,
      ]),
      [
        ["outbound", "127.0.0.1", 15001, "outbound"],
        ["outbound_127.0.0.1_6379", "127.0.0.1", 6379, "outbound"],
        ["outbound_::1_80", "::1", 80, "outbound"],
      ],
    );
  });

  it("needs a port, and captureMode NONE or bind", () => {
    const opens = (item: object) => resourcesOf(REDIS + sidecar(item)).listeners.resources.length === 2;
    const port = { number: 6379, protocol: "TCP" };
    assert.equal(opens({ port, hosts: ["*/*"] }), false);
    assert.equal(opens({ port, captureMode: "IPTABLES", hosts: ["*/*"] }), false);
    assert.equal(opens({ port, captureMode: "DEFAULT", hosts: ["*/*"] }), false);
    assert.equal(opens({ captureMode: "NONE", hosts: ["*/*"] }), false);
    assert.equal(opens({ port, bind: "127.0.0.9", hosts: ["*/*"] }), true);
    assert.equal(opens({ port, captureMode: "NONE", hosts: ["*/*"] }), true);
  });

  it("of the Sidecar that applies to the workload alone", () => {
    const other = ON_REDIS.replace('"spec":{', '"spec":{"workloadSelector":{"labels":{"app":"other"}},');
    assert.equal(resourcesOf(REDIS + other).listeners.resources.length, 1);
  });
});

describe("connections of a Sidecar's own listener in plain text", () => {
  const redis = "outbound|6379||redis.shop";

  it("go to the service with its port", () => {
    assert.deepEqual(clustersOf(REDIS + ON_REDIS), [redis]);
    assert.deepEqual(addressesOf(resourcesOf(REDIS + ON_REDIS), redis), ["10.0.0.1", "10.0.0.2"]);
  });

  it("go to none where no imported service carries bytes on it", () => {
    assert.equal(clustersOf(REDIS + sidecar(listening(6379, "TCP", ["office/*"]))), undefined);
    assert.equal(clustersOf(REDIS + sidecar(listening(80, "TCP", ["./*"]))), undefined);
    assert.equal(clustersOf(REDIS + sidecar(listening(5432, "TCP", ["./*"]))), undefined);
  });

  it("follow the tcp routes for the service, and reach the service where none matches", () => {
    const tcp = [{ match: [{ destinationSubnets: ["127.0.0.8/32"] }], ...to("redis.shop", "new") }];
    const text = REDIS + SUBSETS + ON_REDIS + routes("by-address", ["redis.shop"], { tcp });
    assert.deepEqual(clustersOf(text, undefined, "127.0.0.8"), ["outbound|6379|new|redis.shop"]);
    assert.deepEqual(clustersOf(text), [redis]);
    const all = routes("all", ["redis"], { tcp: [to("redis.shop", "new")] });
    assert.deepEqual(clustersOf(REDIS + SUBSETS + ON_REDIS + all), ["outbound|6379|new|redis.shop"]);
    assert.deepEqual(
      addressesOf(resourcesOf(REDIS + SUBSETS + ON_REDIS + all), "outbound|6379|new|redis.shop"),
      ["10.0.0.1"],
    );
  });

  it("follow no routes of other ports, callers, gateways, kinds or hosts", () => {
    const others = [
      { tcp: [{ match: [{ port: 6380 }], ...to("redis.shop", "new") }] },
      { tcp: [{ match: [{ sourceLabels: { app: "other" } }], ...to("redis.shop", "new") }] },
      { tcp: [{ match: [{ sourceNamespace: "office" }], ...to("redis.shop", "new") }] },
      { gateways: ["edge"], tcp: [to("redis.shop", "new")] },
      { gateways: ["edge", "mesh"], tcp: [{ match: [{ gateways: ["edge"] }], ...to("redis.shop", "new") }] },
      { tls: [{ match: [{ sniHosts: ["redis.shop"] }], ...to("redis.shop", "new") }] },
    ];
    for (const spec of others)
      assert.deepEqual(clustersOf(REDIS + SUBSETS + ON_REDIS + routes("x", ["redis.shop"], spec)), [redis]);
    const foreign = routes("foreign", ["other.example"], { tcp: [to("redis.shop", "new")] });
    assert.deepEqual(clustersOf(REDIS + SUBSETS + ON_REDIS + foreign), [redis]);
  });

  it("follow the routes with the most exact host alone", () => {
    const wide = routes("wide", ["*.example.com"], { tcp: [to("redis.shop")] });
    const exact = routes("exact", ["db.example.com"], { tcp: [to("db.example.com")] });
    const db =
      service("db.example.com", [5432, "TCP"]) + sidecar(listening(5432, "TCP", ["*/db.example.com"]));
    assert.deepEqual(clustersOf(REDIS + db + wide), ["outbound|6379||redis.shop"]);
    assert.deepEqual(clustersOf(REDIS + db + wide + exact), ["outbound|5432||db.example.com"]);
  });

  it("follow imported routes for a host that no service has", () => {
    const alone = routes("alone", ["cache.example"], { tcp: [to("redis.shop")] });
    const text = REDIS + alone + sidecar(listening(7000, "TCP", ["*/cache.example"]));
    assert.deepEqual(clustersOf(text), ["outbound|6379||redis.shop"]);
  });
});

describe("connections of a Sidecar's own listener with TLS", () => {
  const mesh =
    service("a.example.com", [443, "TLS"]) +
    service("b.example.com", [443, "HTTPS"]) +
    service("db.shop", [443, "TLS"]) +
    sidecar(listening(443, "TLS", ["*/*.example.com", "./db.shop"]));

  it("go by the server name to the service that has it", () => {
    assert.deepEqual(clustersOf(mesh, "a.example.com"), ["outbound|443||a.example.com"]);
    assert.deepEqual(clustersOf(mesh, "b.example.com"), ["outbound|443||b.example.com"]);
    for (const name of ["db", "db.shop", "db.shop.svc", "db.shop.svc.cluster.local"])
      assert.deepEqual(clustersOf(mesh, name), ["outbound|443||db.shop"]);
    assert.equal(clustersOf(mesh, "c.example.com"), undefined);
    assert.equal(clustersOf(mesh, undefined), undefined);
  });

  it("are routed by the tls routes, in place of the service itself", () => {
    const tls = [{ match: [{ sniHosts: ["a.example.com"], port: 443 }], ...to("b.example.com") }];
    assert.deepEqual(clustersOf(mesh + routes("a", ["a.example.com"], { tls }), "a.example.com"), [
      "outbound|443||b.example.com",
    ]);
    const ofOtherPort = [{ match: [{ sniHosts: ["a.example.com"], port: 444 }], ...to("b.example.com") }];
    assert.deepEqual(
      clustersOf(mesh + routes("a", ["a.example.com"], { tls: ofOtherPort }), "a.example.com"),
      ["outbound|443||a.example.com"],
    );
  });

  it("are routed for names below a wildcard, and for no host that is not imported", () => {
    const tls = [{ match: [{ sniHosts: ["*.example.com", "x.example.org"] }], ...to("b.example.com") }];
    const text = mesh + routes("wide", ["*.example.com", "x.example.org"], { tls });
    for (const name of ["a.example.com", "b.example.com", "new.example.com"])
      assert.deepEqual(clustersOf(text, name), ["outbound|443||b.example.com"]);
    assert.equal(clustersOf(text, "x.example.org"), undefined);
  });

  it("are never HTTP", () => {
    const [, listener] = resourcesOf(mesh).listeners.resources;
    assert.equal(listener?.tcp?.plainTable, undefined);
    assert.deepEqual(listener?.tcp?.passthroughServers[0]?.serverNames, ["*"]);
  });
});

describe("requests of a Sidecar's own listener", () => {
  const text =
    service("web.shop", [8080, "HTTP"], [9090, "HTTP"]) +
    service("other.shop", [9090, "GRPC"]) +
    sidecar(listening(9090, "HTTP", ["./web.shop", "./web.example"]), { hosts: ["*/*"] });
  const cluster = (more: string, authority: string) =>
    destinationsOf(follow(resourcesOf(text + more), authority, "/", 1))?.[0];

  it("reach the port of the imported services, by the Host header", () => {
    assert.equal(cluster("", "web.shop"), "outbound|9090||web.shop");
    assert.equal(cluster("", "web:9090"), "outbound|9090||web.shop");
    assert.equal(cluster("", "other.shop"), undefined);
  });

  it("follow the routes of the port", () => {
    const of = (port: number) =>
      routes("web", ["web.shop"], { http: [{ match: [{ port }], ...to("other.shop") }] });
    assert.equal(cluster(of(9090), "web.shop"), "outbound|9090||other.shop");
    assert.equal(cluster(of(8080), "web.shop"), undefined);
    const alone = (port: number) =>
      routes("alone", ["web.example"], { http: [{ match: [{ port }], ...to("web.shop") }] });
    assert.equal(cluster(alone(9090), "web.example"), "outbound|9090||web.shop");
    assert.equal(cluster(alone(8080), "web.example"), undefined);
  });
});

describe("a port of a Sidecar's ingress", () => {
  it("forwards bytes when its protocol says so, whatever the service's", () => {
    const inbound = (protocol: string) =>
      resourcesOf(
        istioDocument(
          "Sidecar",
          { name: "default", namespace: "shop" },
          { ingress: [{ port: { number: 7000, protocol }, defaultEndpoint: "127.0.0.1:7001" }] },
        ) + service("caller.shop", [7001, "HTTP"]),
      ).listeners.resources[1];
    assert.deepEqual(inbound("REDIS")?.tcp?.tables[0]?.routes[0]?.destinations, [
      { cluster: "inbound|7001||", weight: 1 },
    ]);
    assert.equal(inbound("HTTP")?.tcp, undefined);
  });
});
