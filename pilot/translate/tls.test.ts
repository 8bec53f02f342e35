// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { DEFAULT_CIPHER_SUITES } from "../../core/traffic/resources/tls.ts";
import type { RouteTable } from "../../core/traffic/resources/route.ts";
import { compileRouteTable, matchRoute } from "../../core/traffic/route-table.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const EDGE = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 } as const;

const SERVICE = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews }
spec:
  hosts: [reviews.shop.example]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: DNS
---
`;

const gateway = (servers: string, name = "edge") => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { servers: [${servers}] }
---
`;

const ROUTES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: routes }
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{ route: [{ destination: { host: reviews.shop.example } }] }]
---
`;

const https = (hosts: string, tls: string) =>
  `{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [${hosts}], tls: ${tls} }`;

const resourcesOf = (text: string) => translate(trafficDocuments(text), EDGE);

describe("the translation of TLS", () => {
  it("gives each server of a Gateway its names, its certificate and routes of its own", () => {
    const { listeners, routes } = resourcesOf(
      SERVICE +
        gateway(
          [
            https('shop.example, "./www.shop.example"', "{ mode: SIMPLE, credentialName: shop }"),
            https(
              '"*.shop.example"',
              "{ mode: MUTUAL, serverCertificate: c, privateKey: k, caCertificates: a, minProtocolVersion: TLSV1_3 }",
            ),
          ].join(", "),
        ) +
        ROUTES,
    );
    const [listener] = listeners.resources;
    assert.equal(listener?.port, 443);
    const first = "https.443.shop.example.edge.default";
    const second = "https.443.*.shop.example.edge.default";
    const versions = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", cipherSuites: DEFAULT_CIPHER_SUITES };
    assert.deepEqual(listener.tlsServers, [
      {
        name: first,
        serverNames: ["shop.example", "www.shop.example"],
        routeTable: first,
        mode: "simple",
        credential: { credentialName: "shop", certificateFile: "tls.crt", privateKeyFile: "tls.key" },
        ...versions,
      },
      {
        name: second,
        serverNames: ["*.shop.example"],
        routeTable: second,
        mode: "mutual",
        credential: { certificateFile: "c", privateKeyFile: "k", authoritiesFile: "a" },
        ...versions,
        minVersion: "TLSv1.3",
      },
    ]);
    assert.deepEqual(
      routes.resources.map(({ name, virtualHosts }) => [
        name,
        virtualHosts.flatMap(({ domains }) => domains),
      ]),
      [
        [first, ["shop.example", "www.shop.example"]],
        [second, ["*.shop.example"]],
      ],
    );
  });

  it("redirects every host of a plain server with httpsRedirect, and no other server's", () => {
    const plain = (hosts: string, more = "") =>
      `{ port: { number: 80, name: http, protocol: HTTP }, hosts: [${hosts}] ${more} }`;
    const { routes, listeners } = resourcesOf(
      SERVICE +
        gateway(`${plain("a.example", ", tls: { httpsRedirect: true }")}, ${plain("b.example")}`) +
        ROUTES,
    );
    assert.equal(listeners.resources[0]?.tlsServers, undefined);
    const actions = routes.resources[0]?.virtualHosts.map((host) => [
      host.domains[0],
      ...host.routes.map(({ action }) =>
        action.kind === "redirect" ? `${action.code} ${action.scheme}` : action.kind,
      ),
    ]);
    assert.deepEqual(actions, [
      ["a.example", "301 https", "forward"],
      ["b.example", "forward"],
    ]);
  });

  it("redirects only requests that did not come by https to a trusted proxy in front, for every host of the server", () => {
    const server = `{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*.example"], tls: { httpsRedirect: true } }`;
    const { routes } = resourcesOf(SERVICE + gateway(server) + ROUTES.replace('"*"', "a.example"));
    const table = compileRouteTable(routes.resources[0] as RouteTable);
    const actionOf = (host: string, scheme: string) => {
      const headers = { values: (name: string) => (name === "x-forwarded-proto" ? [scheme] : []) };
      const authority = { host, port: undefined };
      return matchRoute(table, { authority, path: "/", query: "", method: "GET", headers })?.route.action
        .kind;
    };
    assert.equal(actionOf("a.example", "http"), "redirect");
    assert.equal(actionOf("a.example", "https"), "forward");
    assert.equal(actionOf("b.example", "http"), "redirect");
    assert.equal(actionOf("b.example", "https"), undefined);
  });

  it("gives clusters the rule's TLS, or the subset's in its place", () => {
    const rule = (tls: string, subset = "") => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews.shop.example, trafficPolicy: { tls: ${tls} } ${subset} }
---
`;
    const tlsOf = (rules: string) =>
      resourcesOf(SERVICE + rules + gateway(PLAIN) + ROUTES).clusters.resources[0]?.tls;
    const PLAIN = "{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }";
    assert.equal(tlsOf(""), undefined);
    assert.equal(tlsOf(rule("{ mode: DISABLE }")), undefined);
    const common = { serverName: "reviews.shop.example", subjectAltNames: [], skipsVerification: false };
    assert.deepEqual(tlsOf(rule("{ mode: SIMPLE }")), { credential: {}, ...common });
    assert.deepEqual(tlsOf(rule("{ mode: SIMPLE, credentialName: ca, sni: x.example }")), {
      credential: { credentialName: "ca", authoritiesFile: "ca.crt" },
      ...common,
      serverName: "x.example",
    });
    assert.deepEqual(
      tlsOf(rule("{ mode: MUTUAL, clientCertificate: c, privateKey: k, subjectAltNames: [spiffe://a] }")),
      {
        credential: { certificateFile: "c", privateKeyFile: "k" },
        ...common,
        subjectAltNames: ["spiffe://a"],
      },
    );
    assert.deepEqual(tlsOf(rule("{ mode: SIMPLE, credentialName: ca, insecureSkipVerify: true }")), {
      credential: { credentialName: "ca" },
      ...common,
      skipsVerification: true,
    });
  });
});
