// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { addressesOf, destinationsOf, follow } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const document = (kind: string, namespace: string, name: string, spec: object) =>
  istioDocument(kind, { name, namespace }, spec);

const service = (namespace: string, host: string, address: string, more: object = {}) =>
  document("ServiceEntry", namespace, `${host}-${address}`, {
    hosts: [host],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "STATIC",
    endpoints: [{ address }],
    ...more,
  });

const sidecarIn = (namespace: string, service = "caller"): ProxyNode => ({
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service,
  namespace,
  outboundPort: 15001,
});

const edgeIn = (namespace?: string): ProxyNode => ({
  role: "edge",
  id: "edge-1",
  host: "127.0.0.1",
  port: 8080,
  trustedHops: 0,
  ...(namespace === undefined ? {} : { namespace }),
});

const seenBy = (node: ProxyNode, text: string) => translate(trafficDocuments(text), node);

describe("documents with exportTo", () => {
  it("hide HealthChecks and Overloads from the proxies of other namespaces, and replace those for all", () => {
    const own = (kind: string, namespace: string, name: string, spec: object) =>
      `---\napiVersion: purser.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${JSON.stringify(spec)}\n`;
    const check = (interval: string, exportTo?: readonly string[]) => ({
      host: "reviews.shop",
      tcp: {},
      interval,
      timeout: "1s",
      unhealthyThreshold: 1,
      healthyThreshold: 1,
      ...(exportTo ? { exportTo } : {}),
    });
    const appliedIn = (namespace: string, text: string) => {
      const { clusters } = seenBy(sidecarIn(namespace), service("shop", "reviews", "10.0.0.1") + text);
      const [cluster] = clusters.resources;
      return [cluster?.healthCheck?.intervalMs, cluster?.overload?.document];
    };
    const hidden =
      own("HealthCheck", "shop", "a", check("7s", ["."])) +
      own("Overload", "shop", "a", { host: "reviews.shop", exportTo: ["."] });
    assert.deepEqual(appliedIn("shop", hidden), [7_000, "shop/a"]);
    assert.deepEqual(appliedIn("client", hidden), [undefined, undefined]);
    const all =
      own("HealthCheck", "shop", "b", check("9s")) + own("Overload", "shop", "b", { host: "reviews.shop" });
    for (const text of [hidden + all, all + hidden]) {
      assert.deepEqual(appliedIn("shop", text), [7_000, "shop/a"]);
      assert.deepEqual(appliedIn("client", text), [9_000, "shop/b"]);
    }
    const nobody = own("Overload", "shop", "c", { host: "reviews.shop", exportTo: ["~"] });
    assert.deepEqual(appliedIn("shop", nobody), [undefined, undefined]);
  });

  it("hide a service from the sidecars of other namespaces", () => {
    const text = service("shop", "reviews", "10.0.0.1", { exportTo: ["."] });
    const name = "outbound|80||reviews";
    assert.deepEqual(destinationsOf(follow(seenBy(sidecarIn("shop"), text), "reviews")), [name]);
    const other = seenBy(sidecarIn("client"), text);
    assert.equal(follow(other, "reviews.shop"), undefined);
    assert.equal(addressesOf(other, name), undefined);
  });

  it("give each namespace its own endpoints of one host", () => {
    const text =
      service("shop", "api.example.com", "10.0.0.1", { exportTo: ["."] }) +
      service("client", "api.example.com", "10.0.0.2", { exportTo: ["."] }) +
      service("third", "api.example.com", "10.0.0.3");
    const endpointsIn = (namespace: string) =>
      addressesOf(seenBy(sidecarIn(namespace), text), "outbound|80||api.example.com");
    assert.deepEqual(endpointsIn("shop"), ["10.0.0.1", "10.0.0.3"]);
    assert.deepEqual(endpointsIn("client"), ["10.0.0.2", "10.0.0.3"]);
    assert.deepEqual(endpointsIn("other"), ["10.0.0.3"]);
  });

  it("leave a route to a hidden service without endpoints", () => {
    const text =
      service("shop", "reviews", "10.0.0.1", { exportTo: ["~"] }) +
      document("VirtualService", "shop", "front", {
        hosts: ["front.example.com"],
        http: [{ route: [{ destination: { host: "reviews" } }] }],
      });
    const config = seenBy(sidecarIn("shop"), text);
    const [cluster] = destinationsOf(follow(config, "front.example.com")) ?? [];
    assert.deepEqual(addressesOf(config, cluster as string), []);
  });

  it("let a sidecar serve a service that no proxy may call", () => {
    const text = service("shop", "reviews", "10.0.0.1", { exportTo: ["~"] });
    const inbound = { port: 15006, appHost: "127.0.0.1", appPort: 9080 };
    const node: ProxyNode = {
      role: "sidecar",
      id: "r",
      host: "127.0.0.1",
      service: "reviews.shop",
      outboundPort: 1,
      inbound,
    };
    const { resources } = seenBy(node, text).clusters;
    assert.deepEqual(
      resources.map(({ service: { name, namespace } }) => ({ name, namespace })),
      [{ name: "reviews", namespace: "shop" }],
    );
  });

  it("apply routes and rules only in the namespaces that they are exported to", () => {
    const text =
      service("shop", "reviews", "10.0.0.1") +
      document("VirtualService", "shop", "slow", {
        hosts: ["reviews"],
        exportTo: ["client"],
        http: [{ name: "for-client", route: [{ destination: { host: "reviews" } }] }],
      }) +
      document("DestinationRule", "shop", "few", {
        host: "reviews",
        exportTo: ["client"],
        trafficPolicy: { connectionPool: { http: { http2MaxRequests: 7 } } },
      });
    const seen = (namespace: string) => {
      const config = seenBy(sidecarIn(namespace), text);
      return [follow(config, "reviews.shop")?.name, config.clusters.resources[0]?.maxRequests];
    };
    assert.deepEqual(seen("client"), ["for-client", 7]);
    assert.deepEqual(seen("shop"), ["default", 1024]);
  });

  it("are seen by an edge of the namespace, whatever the Gateway's", () => {
    const text =
      service("shop", "reviews", "10.0.0.1", { exportTo: ["ingress"] }) +
      document("Gateway", "shop", "front-door", {
        servers: [{ port: { number: 8080, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
      }) +
      document("VirtualService", "shop", "front", {
        hosts: ["front.example.com"],
        gateways: ["front-door"],
        exportTo: ["ingress"],
        http: [{ route: [{ destination: { host: "reviews" } }] }],
      });
    const endpointsOf = (node: ProxyNode) => {
      const config = seenBy(node, text);
      const [cluster] = destinationsOf(follow(config, "front.example.com")) ?? [];
      return cluster && addressesOf(config, cluster);
    };
    assert.deepEqual(endpointsOf(edgeIn("ingress")), ["10.0.0.1"]);
    assert.equal(endpointsOf(edgeIn("shop")), undefined);
    assert.equal(endpointsOf(edgeIn()), undefined);
  });

  it("hide an internal service from an edge without Gateways", () => {
    const text = service("shop", "reviews", "10.0.0.1", { location: "MESH_INTERNAL", exportTo: ["."] });
    assert.equal(follow(seenBy(edgeIn(), text), "reviews"), undefined);
    assert.ok(follow(seenBy(edgeIn("shop"), text), "reviews") !== undefined);
  });
});

describe("the namespace of a sidecar", () => {
  it("is its service's, unless it says another", () => {
    const text =
      service("shop", "reviews", "10.0.0.1") + service("shop", "ratings.shop.svc.cluster.local", "10.0.0.2");
    const { namespace: _, ...node } = sidecarIn("", "reviews.shop") as Extract<
      ProxyNode,
      { role: "sidecar" }
    >;
    assert.ok(follow(seenBy(node, text), "ratings") !== undefined);
    assert.equal(follow(seenBy({ ...node, namespace: "client" }, text), "ratings"), undefined);
    assert.ok(follow(seenBy({ ...node, namespace: "client" }, text), "ratings.shop") !== undefined);
  });
});
