// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const EDGE = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 } as const;

const PASSTHROUGH = "{ mode: PASSTHROUGH }";

const server = (port: number, protocol: string, hosts: string, tls?: string) =>
  `{ port: { number: ${port}, name: p, protocol: ${protocol} }, hosts: [${hosts}]${tls === undefined ? "" : `, tls: ${tls}`} }`;

const gateway = (...servers: readonly string[]) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge }
spec: { servers: [${servers.join(", ")}] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: db }
spec:
  hosts: [db.example]
  ports: [{ number: 5432, name: pg, protocol: TCP }, { number: 80, name: http, protocol: HTTP }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{ address: 10.0.0.1 }]
---
`;

const routes = (hosts: string, rest: string, name = "routes", namespace = "default") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespace} }
spec: { hosts: [${hosts}], gateways: [default/edge], ${rest} }
---
`;

const TO_DB = "route: [{ destination: { host: db.example, port: { number: 5432 } } }]";

const CLUSTER = [{ cluster: "outbound|5432||db.example", weight: 1 }];

const resourcesOf = (text: string) => translate(trafficDocuments(text), EDGE);
const tcpOf = (text: string) => resourcesOf(text).listeners.resources.map(({ tcp }) => tcp);

describe("the translation of connections", () => {
  it("gives a port of TCP the tcp routes, and a cluster with their limits", () => {
    const text =
      gateway(server(5432, "TCP", '"*"')) +
      routes(
        '"*"',
        `tcp: [{ match: [{ port: 5432, destinationSubnets: [10.0.0.0/8] }, { port: 1 }], ${TO_DB} }, { match: [{ port: 1 }], ${TO_DB} }]`,
      ) +
      `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: db }
spec:
  host: db.example
  trafficPolicy: { proxyProtocol: { version: V2 }, connectionPool: { tcp: { idleTimeout: 5m } } }
`;
    const { listeners, clusters, routes: tables } = resourcesOf(text);
    assert.deepEqual(listeners.resources[0]?.tcp, {
      plainTable: "tcp.5432",
      passthroughServers: [],
      tables: [
        {
          name: "tcp.5432",
          routes: [
            {
              name: "routes.tcp.0",
              matches: [{ serverNames: [], destinationSubnets: ["10.0.0.0/8"] }],
              destinations: CLUSTER,
            },
          ],
        },
      ],
    });
    assert.deepEqual(tables.resources, []);
    const [cluster] = clusters.resources;
    assert.equal(cluster?.tcpIdleTimeoutMs, 300_000);
    assert.equal(cluster?.proxyProtocol, 2);
  });

  it("limits the tls routes of a server to the names that it and the VirtualService have in common", () => {
    const text =
      gateway(
        server(443, "TLS", '"*.db.example", shop/only.example', PASSTHROUGH),
        server(443, "HTTPS", "web.example", "{ mode: SIMPLE, credentialName: web }"),
      ) +
      routes(
        '"*"',
        `tls: [{ match: [{ sniHosts: [a.db.example, other.example, only.example] }], ${TO_DB} }, { match: [{ sniHosts: ["*"] }], ${TO_DB} }]`,
      );
    const { listeners, routes: tables } = resourcesOf(text);
    const [listener] = listeners.resources;
    const name = "passthrough.443.*.db.example.edge.default";
    assert.deepEqual(listener?.tcp?.passthroughServers, [
      { name, serverNames: ["*.db.example", "only.example"], routeTable: name },
    ]);
    // The host only.example is for the namespace shop.
    assert.deepEqual(
      listener?.tcp?.tables.map((table) => table.routes.map(({ matches }) => matches)),
      [
        [
          [{ serverNames: ["a.db.example"], destinationSubnets: [] }],
          [{ serverNames: ["*.db.example"], destinationSubnets: [] }],
        ],
      ],
    );
    assert.deepEqual(
      listener?.tlsServers?.map(({ protocol }) => protocol),
      [undefined],
    );
    assert.deepEqual(
      tables.resources.map((table) => table.name),
      ["https.443.web.example.edge.default"],
    );
  });

  it("gives TLS that ends at the edge the tcp routes of its own names alone", () => {
    const text =
      gateway(server(5432, "TLS", "a.example, b.example", "{ mode: SIMPLE, credentialName: db }")) +
      routes("a.example", `tcp: [{ ${TO_DB} }]`);
    const [listener] = resourcesOf(text).listeners.resources;
    assert.deepEqual(
      listener?.tlsServers?.map(({ protocol, routeTable }) => [protocol, routeTable]),
      [["tcp", "tls.5432.a.example.edge.default"]],
    );
    assert.deepEqual(listener?.tcp?.tables, [
      {
        name: "tls.5432.a.example.edge.default",
        routes: [
          {
            name: "routes.tcp.0",
            matches: [{ serverNames: ["a.example"], destinationSubnets: [] }],
            destinations: CLUSTER,
          },
        ],
      },
    ]);
  });

  it("leaves listeners of HTTP as they were, and hosts of TCP out of the mesh's requests", () => {
    assert.deepEqual(tcpOf(gateway(server(80, "HTTP", '"*"')) + routes('"*"', `http: [{ ${TO_DB} }]`)), [
      undefined,
    ]);
    const mesh = gateway().replace(/apiVersion[^]*?---\n/, "");
    const [table] = resourcesOf(mesh).routes.resources;
    assert.deepEqual(
      table?.virtualHosts.map(({ name, domains }) => [name, domains[0]]),
      [["db.example:80", "db.example"]],
    );
  });

  it("forwards bytes to the application of a service with such a port", () => {
    const node = {
      role: "sidecar",
      id: "db-1",
      service: "db.example",
      host: "127.0.0.1",
      outboundPort: 15001,
    } as const;
    const inbound = (appPort: number) =>
      translate(trafficDocuments(gateway().replace(/apiVersion[^]*?---\n/, "")), {
        ...node,
        inbound: { port: 15006, appHost: "127.0.0.1", appPort },
      }).listeners.resources[1];
    assert.deepEqual(inbound(5432)?.tcp?.tables[0]?.routes[0]?.destinations, [
      { cluster: "inbound|5432||", weight: 1 },
    ]);
    assert.equal(inbound(80)?.tcp, undefined);
  });
});
