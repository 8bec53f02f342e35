// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { ProxyNode } from "../../api/pilot-service.ts";
import {
  knownAfter,
  NOTHING_KNOWN,
  RESOURCE_TYPES,
  type ResourceType,
  type TrafficResources,
} from "../../core/traffic/resources/resource-set.ts";
import { BOOKSHOP, istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { addressesOf, destinationsOf, follow } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const EDGE: ProxyNode = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 1 };
const SIDECAR: ProxyNode = {
  role: "sidecar",
  id: "reviews-1",
  host: "127.0.0.1",
  service: "reviews",
  outboundPort: 15001,
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 9080 },
};

const CALLER: ProxyNode = {
  role: "sidecar",
  id: "c-1",
  host: "127.0.0.1",
  service: "x",
  outboundPort: 15001,
};

/** Compares with a golden file; UPDATE_GOLDEN=1 writes it, to be reviewed like code. */
function assertGolden(name: string, config: TrafficResources): void {
  const file = new URL(`testdata/${name}.golden.json`, import.meta.url);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`);
  }
  assert.deepEqual(config, JSON.parse(readFileSync(file, "utf8")));
}

const service = (host: string, more = "") => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: "${host}" }
spec:
  hosts: ["${host}"]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: DNS
${more}---
`;

const virtualService = (name: string, hosts: string, http: string, more = "", namespace = "default") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  hosts: ${hosts}
  ${more}
  http:
${http}
---
`;

const gateway = (name: string, servers: string) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec:
  servers: ${servers}
---
`;

const ROUTE_TO = (host: string) => `    - { name: to-${host}, route: [{ destination: { host: ${host} } }] }`;

const domainsOf = (config: TrafficResources, table = 0) =>
  config.routes.resources[table]?.virtualHosts.flatMap(({ domains }) => domains);

const EXTRA_SERVER = `hosts: [admin.example.com] }
    - { port: { number: 8082, name: http-more, protocol: HTTP }, hosts: [more.example.com] }`;

const versionsOf = (text: string) => knownAfter(NOTHING_KNOWN, translate(trafficDocuments(text), EDGE));

describe("translation of routing documents", () => {
  it("translates the bookshop's edge as in the golden file", () => {
    assertGolden("bookshop-edge", translate(trafficDocuments(BOOKSHOP), EDGE));
  });

  it("translates the bookshop's sidecar of reviews as in the golden file", () => {
    assertGolden("bookshop-sidecar", translate(trafficDocuments(BOOKSHOP), SIDECAR));
  });

  it("gives the same versions for the same documents", () => {
    const first = versionsOf(BOOKSHOP);
    assert.deepEqual(versionsOf(BOOKSHOP), first);
    assert.equal(new Set(Object.values(first)).size, RESOURCE_TYPES.length);
  });

  const CHANGES: readonly (readonly [
    what: string,
    from: string,
    to: string,
    types: readonly ResourceType[],
  ])[] = [
    ["an endpoint", "ports: { http: 19080 }", "ports: { http: 19081 }", ["endpoints"]],
    [
      "a sidecar before an endpoint",
      'purser.dev/sidecar: "true"',
      'purser.dev/sidecar: "false"',
      ["endpoints"],
    ],
    ["a route", "/robots.txt", "/ads.txt", ["routes"]],
    ["a cluster's limit", "http2MaxRequests: 64", "http2MaxRequests: 65", ["clusters"]],
    ["a new port of the Gateway", "hosts: [admin.example.com] }", EXTRA_SERVER, ["listeners", "routes"]],
  ];
  for (const [what, from, to, types] of CHANGES)
    it(`changes the version of ${types.join(" and ")} only for ${what}`, () => {
      assert.ok(BOOKSHOP.includes(from));
      const before = versionsOf(BOOKSHOP);
      const after = versionsOf(BOOKSHOP.replace(from, to));
      assert.deepEqual(
        RESOURCE_TYPES.filter((type) => after[type] !== before[type]),
        types,
      );
    });

  it("expects the PROXY protocol of the load balancer in front of an edge, and of nobody else", () => {
    const documents = { ...trafficDocuments(BOOKSHOP), proxyProtocol: true };
    const told = (node: ProxyNode) =>
      translate(documents, node).listeners.resources.map(({ proxyProtocol }) => proxyProtocol);
    assert.deepEqual(new Set(told(EDGE)), new Set([true]));
    assert.deepEqual(new Set(told(SIDECAR)), new Set([undefined]));
  });

  it("gives every listener the limits of the documents, and changes the version of listeners only", () => {
    const documents = trafficDocuments(BOOKSHOP);
    const limits = { ...documents.limits, maxConnections: 77, streamIdleMs: 30_000 };
    for (const node of [EDGE, SIDECAR]) {
      const before = translate(documents, node);
      const after = translate({ ...documents, limits }, node);
      assert.equal(after.listeners.resources.length, 2);
      for (const listener of after.listeners.resources) assert.deepEqual(listener.limits, limits);
      assert.deepEqual(
        RESOURCE_TYPES.filter((type) => after[type].version !== before[type].version),
        ["listeners"],
      );
    }
  });

  it("gives each listener the tracing of the documents, and none when they set none", () => {
    const documents = trafficDocuments(BOOKSHOP);
    const tracing = { randomSamplingPercentage: 1.5, b3: "SINGLE_HEADER" } as const;
    for (const node of [EDGE, SIDECAR]) {
      for (const listener of translate(documents, node).listeners.resources)
        assert.ok(!("tracing" in listener));
      for (const listener of translate({ ...documents, tracing }, node).listeners.resources)
        assert.deepEqual(listener.tracing, tracing);
    }
  });

  it("gives each listener the documents' settings for headers about quotas, and none when they have none", () => {
    const documents = trafficDocuments(BOOKSHOP);
    const rateLimitHeaders = { forms: ["X_RATELIMIT"], upstream: "REPLACE", quotaState: true } as const;
    for (const node of [EDGE, SIDECAR]) {
      for (const listener of translate(documents, node).listeners.resources)
        assert.ok(!("rateLimitHeaders" in listener));
      for (const listener of translate({ ...documents, rateLimitHeaders }, node).listeners.resources)
        assert.deepEqual(listener.rateLimitHeaders, rateLimitHeaders);
    }
  });

  it("changes the version of listeners only for another path normalization", () => {
    const documents = trafficDocuments(BOOKSHOP);
    const before = translate(documents, EDGE);
    const after = translate({ ...documents, pathNormalization: "NONE" }, EDGE);
    assert.deepEqual(
      RESOURCE_TYPES.filter((type) => after[type].version !== before[type].version),
      ["listeners"],
    );
  });

  for (const [retries, expected] of [
    ["", { retries: 2, onStatuses: [503], idempotentOnly: true }],
    ["retries: { attempts: 4 }", { retries: 4, onStatuses: [503], idempotentOnly: true }],
    [
      "retries: { attempts: 1, retryOn: '503,409' }",
      { retries: 1, onStatuses: [503, 409], idempotentOnly: false },
    ],
  ] as const)
    it(`retries idempotent methods only, unless the route says retryOn: ${retries}`, () => {
      const routes = `    - { route: [{ destination: { host: a } }], ${retries} }`;
      const config = translate(trafficDocuments(service("a") + virtualService("a", "[a]", routes)), SIDECAR);
      const route = follow(config, "a");
      assert.ok(route?.action.kind === "forward");
      const { retries: count, onStatuses, idempotentOnly } = route.action.retry;
      assert.deepEqual({ retries: count, onStatuses, idempotentOnly }, expected);
    });

  it("speaks HTTP/2 to the endpoints of ports HTTP2 and GRPC, and where h2UpgradePolicy says so", () => {
    const protocolOf = (protocol: string, policy = ""): unknown => {
      const entry = service("a").replace("protocol: HTTP", `protocol: ${protocol}`);
      const rule =
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: a }\n" +
        `spec: { host: a, trafficPolicy: { connectionPool: { http: { ${policy} } } } }\n---\n`;
      const { clusters } = translate(trafficDocuments(entry + (policy === "" ? "" : rule)), SIDECAR);
      const cluster = clusters.resources.find(({ name }) => name.startsWith("outbound"));
      return [cluster?.protocol, cluster?.maxConcurrentStreams];
    };
    assert.deepEqual(protocolOf("HTTP"), [undefined, undefined]);
    assert.deepEqual(protocolOf("HTTP2"), ["http2", undefined]);
    assert.deepEqual(protocolOf("GRPC", "maxConcurrentStreams: 5"), ["http2", 5]);
    assert.deepEqual(protocolOf("HTTP", "h2UpgradePolicy: UPGRADE"), ["http2", undefined]);
    assert.deepEqual(protocolOf("GRPC", "h2UpgradePolicy: DO_NOT_UPGRADE"), ["http2", undefined]);
  });

  it("has calls of gRPC-Web translated where a port or a Gateway has the protocol GRPC-WEB", () => {
    const ofPort = (protocol: string) => service("a").replace("protocol: HTTP", `protocol: ${protocol}`);
    const clusterOf = (documents: string) =>
      translate(trafficDocuments(documents), SIDECAR).clusters.resources.find(({ name }) =>
        name.startsWith("outbound"),
      );
    for (const protocol of ["GRPC-WEB", "grpc-web"]) {
      const { protocol: upstream, grpcWeb } = clusterOf(ofPort(protocol)) ?? {};
      assert.deepEqual([upstream, grpcWeb], ["http2", true]);
    }
    assert.equal(clusterOf(ofPort("GRPC"))?.grpcWeb, undefined);
    const gateway = (name: string, port: number, protocol: string): string =>
      `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: ${name} }\nspec:\n` +
      `  servers: [{ port: { number: ${port}, name: x, protocol: ${protocol} }, hosts: ["*"] }]\n---\n`;
    const gateways = gateway("a", 80, "HTTP") + gateway("b", 80, "GRPC-WEB") + gateway("c", 81, "GRPC");
    assert.deepEqual(
      translate(trafficDocuments(gateways), EDGE).listeners.resources.map(({ port, grpcWeb }) => [
        port,
        grpcWeb,
      ]),
      [
        [80, true],
        [81, undefined],
      ],
    );
  });

  it("gives an edge without Gateways one listener, for the mesh's internal services only", () => {
    const config = translate(
      trafficDocuments(service("shop", "  location: MESH_INTERNAL\n") + service("api.example.com")),
      EDGE,
    );
    assert.deepEqual(
      config.listeners.resources.map(({ port, edge, trustedHops }) => ({ port, edge, trustedHops })),
      [{ port: 8080, edge: true, trustedHops: 1 }],
    );
    assert.deepEqual(destinationsOf(follow(config, "shop:8080")), ["outbound|80||shop"]);
    assert.equal(follow(config, "api.example.com"), undefined);
  });

  it("does not let a VirtualService expose an external service at an edge without Gateways", () => {
    const text =
      service("api.example.com") + virtualService("api", "[api.example.com]", ROUTE_TO("api.example.com"));
    assert.equal(follow(translate(trafficDocuments(text), EDGE), "api.example.com"), undefined);
    assert.ok(follow(translate(trafficDocuments(text), SIDECAR), "api.example.com") !== undefined);
  });

  it("binds to a Gateway only the VirtualServices that name it, with their common hosts", () => {
    const config = translate(
      trafficDocuments(
        service("a") +
          gateway(
            "shop",
            "[{ port: { number: 8080, name: http, protocol: HTTP }, hosts: ['*.example.com'] }]",
          ) +
          virtualService("in", "[a.example.com, other.org]", ROUTE_TO("a"), "gateways: [shop]") +
          virtualService("all", "['*']", ROUTE_TO("a"), "gateways: [default/shop]") +
          virtualService("mesh", "[b.example.com]", ROUTE_TO("a")),
      ),
      EDGE,
    );
    assert.deepEqual(domainsOf(config), ["a.example.com", "*.example.com"]);
  });

  it("lets a Gateway's host admit VirtualServices of one namespace only", () => {
    const config = translate(
      trafficDocuments(
        service("a") +
          gateway("shop", "[{ port: { number: 8080, name: http, protocol: HTTP }, hosts: ['./*'] }]") +
          virtualService("own", "[own.example.com]", ROUTE_TO("a"), "gateways: [shop]") +
          virtualService(
            "other",
            "[other.example.com]",
            ROUTE_TO("a.default.svc"),
            "gateways: [default/shop]",
            "elsewhere",
          ),
      ),
      EDGE,
    );
    assert.deepEqual(domainsOf(config), ["own.example.com"]);
  });

  it("merges Gateways that share a port into one listener", () => {
    const server = (host: string) =>
      `[{ port: { number: 8080, name: http, protocol: HTTP }, hosts: [${host}] }]`;
    const config = translate(
      trafficDocuments(
        service("a") +
          gateway("one", server("one.example.com")) +
          gateway("two", server("two.example.com")) +
          virtualService("all", "['*.example.com']", ROUTE_TO("a"), "gateways: [one, two]"),
      ),
      EDGE,
    );
    assert.equal(config.listeners.resources.length, 1);
    assert.deepEqual(domainsOf(config), ["one.example.com", "two.example.com"]);
  });

  it("applies a match that names gateways only at these", () => {
    const routes = [
      "    - { name: edge-only, match: [{ gateways: [shop] }], route: [{ destination: { host: a } }] }",
      "    - { name: both, route: [{ destination: { host: a } }] }",
    ].join("\n");
    const text =
      service("a") +
      gateway("shop", "[{ port: { number: 8080, name: http, protocol: HTTP }, hosts: ['*'] }]") +
      virtualService("a", "[a]", routes, "gateways: [shop, mesh]");
    assert.equal(follow(translate(trafficDocuments(text), EDGE), "a")?.name, "edge-only");
    assert.equal(follow(translate(trafficDocuments(text), SIDECAR), "a")?.name, "both");
  });

  it("gives a service the VirtualService with the most exact host", () => {
    const text =
      service("a.example.com") +
      service("b.example.com") +
      virtualService("wide", "['*.example.com']", ROUTE_TO("b.example.com")) +
      virtualService("exact", "[a.example.com]", ROUTE_TO("a.example.com"));
    const config = translate(trafficDocuments(text), SIDECAR);
    assert.equal(follow(config, "a.example.com")?.name, "to-a.example.com");
    assert.equal(follow(config, "b.example.com")?.name, "to-b.example.com");
    assert.equal(follow(config, "c.example.com")?.name, "to-b.example.com");
  });

  it("joins the routes of several VirtualServices for one host in document order", () => {
    const first =
      "    - { name: first, match: [{ uri: { exact: /x } }], route: [{ destination: { host: a } }] }";
    const text =
      service("a") +
      virtualService("one", "[a]", first) +
      virtualService("two", "[a.default.svc.cluster.local]", ROUTE_TO("a"));
    const config = translate(trafficDocuments(text), SIDECAR);
    assert.equal(follow(config, "a", "/x")?.name, "first");
    assert.equal(follow(config, "a", "/y")?.name, "to-a");
  });

  it("selects a service's port by the Host header's port, and the service by each of its aliases", () => {
    const config = translate(trafficDocuments(BOOKSHOP), SIDECAR);
    assert.deepEqual(destinationsOf(follow(config, "reviews:9080")), [
      "outbound|9080|v1|reviews",
      "outbound|9080|v2|reviews",
    ]);
    assert.equal(follow(config, "reviews.default.svc:9090")?.name, "reviews.1");
    for (const name of [
      "catalog",
      "catalog.default",
      "catalog.default.svc",
      "CATALOG.default.svc.cluster.local.",
    ]) {
      assert.deepEqual(
        destinationsOf(follow(config, name)),
        ["outbound|9080||catalog.default.svc.cluster.local"],
        name,
      );
    }
  });

  it("resolves a bare name to the service of the caller's own namespace", () => {
    const inNamespace = (namespace: string) =>
      service(`books.${namespace}.svc.cluster.local`).replace(
        'metadata: { name: "',
        `metadata: { namespace: ${namespace}, name: "`,
      );
    const documents = trafficDocuments(inNamespace("shop") + inNamespace("archive"));
    const config = translate(documents, { ...SIDECAR, service: "books.archive.svc.cluster.local" });
    assert.deepEqual(destinationsOf(follow(config, "books")), [
      "outbound|80||books.archive.svc.cluster.local",
    ]);
    assert.deepEqual(destinationsOf(follow(config, "books.shop")), [
      "outbound|80||books.shop.svc.cluster.local",
    ]);
  });

  it("concatenates the endpoints of several ServiceEntries for one host", () => {
    const entry = (name: string, address: string) =>
      service("a", `  endpoints: [{ address: ${address} }]\n`).replace('name: "a"', `name: ${name}`);
    const config = translate(trafficDocuments(entry("one", "10.0.0.1") + entry("two", "10.0.0.2")), SIDECAR);
    const cluster = config.endpoints.resources.find(({ name }) => name === "outbound|80||a");
    assert.deepEqual(
      cluster?.endpoints.map(({ address }) => address),
      ["10.0.0.1", "10.0.0.2"],
    );
  });

  it("divides the workloads that a service selects into subsets by their labels", () => {
    const workload = (name: string, address: string, version: string) =>
      istioDocument("WorkloadEntry", { name, labels: { app: "a" } }, { address, labels: { version } });
    const text =
      service("a", "  workloadSelector: { labels: { app: a } }\n") +
      workload("one", "10.0.0.1", "v1") +
      workload("two", "10.0.0.2", "v2") +
      istioDocument(
        "DestinationRule",
        { name: "a" },
        { host: "a", subsets: [{ name: "new", labels: { version: "v2" } }] },
      ) +
      virtualService("a", "[a]", "    - { route: [{ destination: { host: a, subset: new } }] }");
    const config = translate(trafficDocuments(text), SIDECAR);
    assert.deepEqual(addressesOf(config, "outbound|80|new|a"), ["10.0.0.2"]);
  });

  it("leaves the check to the destination only when every endpoint is a sidecar", () => {
    const endpoints = (second: string) =>
      `  endpoints: [{ address: 10.0.0.1, labels: { purser.dev/sidecar: "true" } }, { address: 10.0.0.2, labels: { purser.dev/sidecar: "${second}" } }]\n`;
    const checked = (second: string) =>
      translate(trafficDocuments(service("a", endpoints(second))), CALLER).endpoints.resources.map(
        ({ checkedByDestination }) => checkedByDestination,
      );
    assert.deepEqual(checked("true"), [true]);
    assert.deepEqual(checked("false"), [false]);
  });

  it("drops routes whose matches are all out of scope, rather than let them match everything", () => {
    const routes = "    - { name: other-port, match: [{ port: 81 }], route: [{ destination: { host: a } }] }";
    const config = translate(trafficDocuments(service("a") + virtualService("a", "[a]", routes)), SIDECAR);
    assert.equal(follow(config, "a"), undefined);
  });

  it("puts a delegate's routes in the place of the route, with services of the delegate's namespace", () => {
    const inTeam = service("reviews.team.svc.cluster.local").replace(
      'metadata: { name: "',
      'metadata: { namespace: team, name: "',
    );
    const delegate = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: team }
spec:
  http:
    - { match: [{ uri: { prefix: /reviews/v2 } }], directResponse: { status: 204 } }
    - { name: rest, route: [{ destination: { host: reviews } }], mirror: { host: reviews } }
---
`;
    const routes = [
      "    - { name: first, match: [{ uri: { exact: / } }], directResponse: { status: 200 } }",
      "    - { match: [{ uri: { prefix: /reviews } }], timeout: 3s, delegate: { name: reviews, namespace: team } }",
      "    - { directResponse: { status: 404 } }",
    ].join("\n");
    const config = translate(
      trafficDocuments(inTeam + delegate + virtualService("shop", "[shop]", routes)),
      SIDECAR,
    );
    const nameAt = (path: string) => follow(config, "shop", path)?.name;
    assert.deepEqual(["/", "/reviews/v2/x", "/reviews", "/other"].map(nameAt), [
      "first",
      "team/reviews.0",
      "rest",
      "shop.2",
    ]);
    const cluster = "outbound|80||reviews.team.svc.cluster.local";
    const rest = follow(config, "shop", "/reviews");
    assert.deepEqual(destinationsOf(rest), [cluster]);
    assert.ok(rest?.action.kind === "forward");
    assert.deepEqual(rest.action.mirrors, [{ cluster, percentage: 100 }]);
    assert.equal(rest.action.timeoutMs, 3_000);
    // A delegate alone routes nothing.
    assert.equal(follow(translate(trafficDocuments(inTeam + delegate), SIDECAR), "shop"), undefined);
  });
});
