// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Labels } from "../../core/traffic/labels.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { addressesOf } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const REVIEWS = "reviews.shop.svc.cluster.local";

const SERVICE = istioDocument(
  "ServiceEntry",
  { name: "reviews", namespace: "shop" },
  {
    hosts: [REVIEWS],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    endpoints: [
      { address: "10.0.0.1", labels: { version: "v1" } },
      { address: "10.0.0.2", labels: { version: "v2" } },
    ],
  },
);

let serial = 0;

/** A rule that is recognized by its limit. */
const rule = (namespace: string, limit: number, more: object = {}) =>
  istioDocument(
    "DestinationRule",
    { name: `rule-${serial++}`, namespace },
    {
      host: REVIEWS,
      trafficPolicy: { connectionPool: { http: { http2MaxRequests: limit } } },
      ...more,
    },
  );

const sidecarIn = (namespace: string, labels?: Labels): ProxyNode => ({
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service: "caller",
  namespace,
  outboundPort: 15001,
  ...(labels === undefined ? {} : { labels }),
});

const NO_RULE = 1024;

/** The limit of the rule that a proxy applies. */
const limitOf = (text: string, node: ProxyNode) =>
  translate(trafficDocuments(SERVICE + text), node).clusters.resources[0]?.maxRequests;

const ROOT = "istio-system";
const client = rule("client", 1);
const shop = rule("shop", 2);
const root = rule(ROOT, 3);
const third = rule("third", 4);

describe("the namespace whose DestinationRules apply", () => {
  for (const [what, text, from, expected] of [
    ["is the caller's first", third + root + shop + client, "client", 1],
    ["is then the service's", third + root + shop, "client", 2],
    ["is then the root namespace", third + root, "client", 3],
    ["is no other", third, "client", NO_RULE],
    ["is the service's for its own workloads", client + root + shop, "shop", 2],
    ["is the service's before the root namespace, in the root namespace", root + shop, ROOT, 2],
    ["is the root namespace, in the root namespace", root + third, ROOT, 3],
    ["is the caller's with a wildcard", shop + rule("client", 5, { host: "*" }), "client", 5],
    ["is not one that exports to others", shop + rule("client", 5, { exportTo: ["shop"] }), "client", 2],
    [
      "is not the service's when it exports to itself",
      root + rule("shop", 5, { exportTo: ["."] }),
      "client",
      3,
    ],
    ["is the root's when it exports to itself", shop + rule(ROOT, 5, { exportTo: ["."] }), ROOT, 5],
    ["is the root's when it names itself", shop + rule(ROOT, 5, { exportTo: [ROOT] }), ROOT, 5],
    ["is not the root's private one elsewhere", rule(ROOT, 5, { exportTo: ["."] }), "client", NO_RULE],
  ] as const)
    it(what, () => {
      assert.equal(limitOf(text, sidecarIn(from)), expected);
    });

  it("hides the subsets of the next namespaces", () => {
    const subsets = { subsets: [{ name: "v2", labels: { version: "v2" } }] };
    const route = istioDocument(
      "VirtualService",
      { name: "reviews", namespace: "shop" },
      { hosts: [REVIEWS], http: [{ route: [{ destination: { host: REVIEWS, subset: "v2" } }] }] },
    );
    const text = SERVICE + rule("shop", 2, subsets) + route;
    const endpointsIn = (more: string) =>
      addressesOf(translate(trafficDocuments(text + more), sidecarIn("client")), `outbound|80|v2|${REVIEWS}`);
    assert.deepEqual(endpointsIn(""), ["10.0.0.2"]);
    assert.deepEqual(endpointsIn(client), []);
    assert.deepEqual(endpointsIn(client + rule("client", 9, subsets)), ["10.0.0.2"]);
  });
});

describe("a DestinationRule's workloadSelector", () => {
  const forWeb = (namespace: string, more: object = {}) =>
    rule(namespace, 7, { workloadSelector: { matchLabels: { app: "web" } }, ...more });
  const web = { app: "web", version: "v1" };

  for (const [what, text, node, expected] of [
    ["selects a caller by its labels", client + forWeb("client"), sidecarIn("client", web), 7],
    ["passes over others", forWeb("client") + client, sidecarIn("client", { app: "batch" }), 1],
    ["passes over callers without labels", forWeb("client") + client, sidecarIn("client"), 1],
    ["leaves others to the next namespace", forWeb("client") + shop, sidecarIn("client"), 2],
    ["does not leave its namespace", forWeb("shop"), sidecarIn("client", web), NO_RULE],
    ["does not leave the root namespace", forWeb(ROOT), sidecarIn("client", web), NO_RULE],
    ["comes first in the root namespace", shop + forWeb(ROOT), sidecarIn(ROOT, web), 7],
    ["comes after a more exact host", forWeb("client", { host: "*" }) + client, sidecarIn("client", web), 1],
    ["may say that it exports to itself", forWeb("client", { exportTo: ["."] }), sidecarIn("client", web), 7],
  ] as const)
    it(what, () => {
      assert.equal(limitOf(text, node), expected);
    });

  it("selects edges by the label that they all have", () => {
    const edge: ProxyNode = { role: "edge", id: "e", host: "127.0.0.1", port: 80, trustedHops: 0 };
    const forEdges = (value: string) =>
      rule("default", 8, { workloadSelector: { matchLabels: { istio: value } } });
    assert.equal(limitOf(shop + forEdges("ingressgateway"), edge), 8);
    assert.equal(limitOf(shop + forEdges("egressgateway"), edge), 2);
  });
});
