// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Labels } from "../../core/traffic/labels.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { follow } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const SERVICES = ["a", "b"].map((host) =>
  istioDocument(
    "ServiceEntry",
    { name: host, namespace: "shop" },
    {
      hosts: [`${host}.shop.svc.cluster.local`],
      location: "MESH_INTERNAL",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: [{ address: "10.0.0.1" }],
    },
  ),
);

const A = "a.shop.svc.cluster.local";

/** A VirtualService of the host `a`, whose first route has these matches. */
function routes(match: readonly object[], more: object = {}): string {
  const to = { route: [{ destination: { host: A } }] };
  return istioDocument(
    "VirtualService",
    { name: "a", namespace: "shop" },
    {
      hosts: [A],
      http: [
        { name: "first", match, ...to },
        { name: "second", ...to },
      ],
      ...more,
    },
  );
}

const sidecar = (labels?: Labels, namespace = "shop"): ProxyNode => ({
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service: "caller",
  namespace,
  outboundPort: 15001,
  ...(labels === undefined ? {} : { labels }),
});

const EDGE: ProxyNode = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 };

/** The name of the route that the proxy takes for a request of the host. */
function taken(text: string, node: ProxyNode, path?: string): string | undefined {
  return follow(translate(trafficDocuments([...SERVICES, text].join("")), node), A, path)?.name;
}

describe("a match on the caller", () => {
  const web = { app: "web", version: "v2" };

  for (const [match, node, expected] of [
    [{ sourceLabels: { app: "web" } }, sidecar(web), "first"],
    [{ sourceLabels: web }, sidecar(web), "first"],
    [{ sourceLabels: { app: "web", version: "v1" } }, sidecar(web), "second"],
    [{ sourceLabels: { app: "web", zone: "a" } }, sidecar(web), "second"],
    [{ sourceLabels: { app: "web" } }, sidecar(), "second"],
    [{ sourceLabels: { constructor: "web" } }, sidecar(web), "second"],
    [{ sourceLabels: { app: "web" } }, sidecar(web, "office"), "first"],
    [{ sourceNamespace: "office" }, sidecar(web, "office"), "first"],
    [{ sourceNamespace: "office" }, sidecar(web), "second"],
    [{ sourceNamespace: "office", sourceLabels: { app: "web" } }, sidecar({}, "office"), "second"],
    [{ sourceLabels: { app: "web" }, port: 80 }, sidecar(web), "first"],
    [{ sourceLabels: { app: "web" }, port: 81 }, sidecar(web), "second"],
    [{ sourceLabels: { app: "web" } }, EDGE, "second"],
    [{ sourceLabels: { istio: "ingressgateway" }, sourceNamespace: "default" }, EDGE, "first"],
  ] as const) {
    const caller = node.role === "edge" ? "an edge" : `${JSON.stringify(node.labels)} in ${node.namespace}`;
    it(`takes the ${expected} route for ${JSON.stringify(match)} and ${caller}`, () => {
      assert.equal(taken(routes([match]), node), expected);
    });
  }

  it("is one of several of a route", () => {
    const match = [{ sourceLabels: { app: "other" } }, { uri: { prefix: "/open" } }];
    assert.equal(taken(routes(match), sidecar(web), "/open"), "first");
    assert.equal(taken(routes(match), sidecar(web), "/"), "second");
    assert.equal(taken(routes(match), sidecar({ app: "other" }), "/"), "first");
  });

  it("narrows a delegate's routes, with its own conditions added", () => {
    const root = istioDocument(
      "VirtualService",
      { name: "a", namespace: "shop" },
      { hosts: [A], http: [{ match: [{ sourceLabels: { app: "web" } }], delegate: { name: "leaf" } }] },
    );
    const leaf = istioDocument(
      "VirtualService",
      { name: "leaf", namespace: "shop" },
      {
        http: [
          { name: "v2", match: [{ sourceLabels: { version: "v2" } }], route: [{ destination: { host: A } }] },
        ],
      },
    );
    assert.equal(taken(root + leaf, sidecar(web)), "v2");
    assert.equal(taken(root + leaf, sidecar({ app: "web" })), undefined);
    assert.equal(taken(root + leaf, sidecar({ version: "v2" })), undefined);
  });
});
