// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { createRegistry } from "./registry.ts";

const document = (apiVersion: string, kind: string, metadata: object, more: object = {}) =>
  `${JSON.stringify({ apiVersion, kind, metadata, ...more })}\n---\n`;

const service = (spec: object = {}, metadata: object = {}) =>
  document(
    "v1",
    "Service",
    { name: "reviews", namespace: "shop", ...metadata },
    {
      spec: { ports: [{ name: "http", port: 9080 }], selector: { app: "reviews" }, ...spec },
    },
  );

const pod = (
  name: string,
  podIP: string,
  more: { labels?: object; status?: object; spec?: object; metadata?: object } = {},
) =>
  document(
    "v1",
    "Pod",
    { name, namespace: "shop", labels: { app: "reviews", ...more.labels }, ...more.metadata },
    { spec: more.spec ?? {}, status: { podIP, phase: "Running", ...more.status } },
  );

const slice = (
  endpoints: object[] | null,
  more: object = {},
  labels: object = { "kubernetes.io/service-name": "reviews" },
) =>
  document(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    { name: `s${Math.random()}`, namespace: "shop", labels },
    {
      addressType: "IPv4",
      endpoints,
      ports: [{ name: "http", port: 8000 }],
      ...more,
    },
  );

const portsOf = (text: string, host = "reviews", namespace = "shop") =>
  createRegistry(trafficDocuments(text)).find(host, namespace)?.ports;
const addressesOf = (text: string, host = "reviews") =>
  portsOf(text, host)?.flatMap(({ endpoints }) => endpoints.map(({ address, port }) => `${address}:${port}`));

describe("the registry of Kubernetes' documents", () => {
  it("names services as Kubernetes' DNS does, and resolves short names by namespace", () => {
    const registry = createRegistry(trafficDocuments(service()));
    const [found] = registry.services;
    assert.deepEqual(found?.identity, {
      host: "reviews.shop.svc.cluster.local",
      name: "reviews",
      namespace: "shop",
    });
    for (const host of ["reviews", "reviews.shop", "reviews.shop.svc", "reviews.shop.svc.cluster.local"])
      assert.equal(registry.find(host, "shop"), found, host);
    assert.equal(registry.find("reviews.shop", "other"), found);
    assert.equal(registry.find("reviews", "other"), undefined);
  });

  it("forwards bytes on ports that are not HTTP, and leaves out those that are not TCP", () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "grpc-x", port: 81 },
      { name: "mysql", port: 3306 },
      { name: "dns", port: 53, protocol: "UDP" },
    ];
    assert.deepEqual(
      portsOf(service({ ports }))?.map(({ number, protocol, carriesBytes }) => [
        number,
        protocol,
        carriesBytes,
      ]),
      [
        [80, "http1", false],
        [81, "http2", false],
        [3306, "http1", true],
      ],
    );
  });

  it("gives the endpoints of slices, without those that are not ready, each once", () => {
    const text =
      service() +
      slice([
        { addresses: ["10.0.0.1", "10.0.0.2"] },
        { addresses: ["10.0.0.3"], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ["10.0.0.4"], conditions: { ready: null } },
        { addresses: ["10.0.0.5"], conditions: null },
      ]) +
      slice([{ addresses: ["10.0.0.1"] }]) +
      slice([{ addresses: ["10.0.0.9"] }], {}, { "kubernetes.io/service-name": "other" }) +
      slice(null, { ports: null }) +
      slice([{ addresses: ["fd00::1"] }], { addressType: "IPv6" }) +
      slice([{ addresses: ["a.example.com"] }], { addressType: "FQDN" });
    assert.deepEqual(addressesOf(text), ["10.0.0.1:8000", "10.0.0.2:8000", "10.0.0.4:8000", "10.0.0.5:8000"]);
    assert.deepEqual(addressesOf(text.replace('"spec":{"ports"', '"spec":{"ipFamilies":["IPv6"],"ports"')), [
      "fd00::1:8000",
    ]);
  });

  it("gives endpoints the labels, account, workload and locality of their Pods and Nodes", () => {
    const node = document("v1", "Node", {
      name: "n1",
      labels: { "topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "eu-1" },
    });
    const labels = { version: "v2", "pod-template-hash": "6d8b", "purser.dev/sidecar": "true" };
    const text =
      service() +
      node +
      pod("reviews-v2-6d8b-x1", "10.0.0.1", {
        labels,
        spec: { serviceAccountName: "robot", nodeName: "n1" },
      }) +
      slice([{ addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "reviews-v2-6d8b-x1" } }]) +
      slice([{ addresses: ["10.0.0.2"], nodeName: "n1" }]);
    assert.deepEqual(portsOf(text)?.[0]?.endpoints, [
      {
        address: "10.0.0.1",
        port: 8000,
        weight: 1,
        labels: { app: "reviews", ...labels },
        workload: "reviews-v2",
        serviceAccount: "robot",
        locality: "eu/eu-1",
      },
      { address: "10.0.0.2", port: 8000, weight: 1, labels: {}, locality: "eu/eu-1" },
    ]);
  });

  it("takes Endpoints where there is no slice, and Pods where there is neither", () => {
    const endpoints = document(
      "v1",
      "Endpoints",
      { name: "reviews", namespace: "shop" },
      {
        subsets: [
          {
            addresses: [{ ip: "10.0.1.1" }],
            notReadyAddresses: [{ ip: "10.0.1.2" }],
            ports: [{ name: "http", port: 7000 }],
          },
          { addresses: [{ ip: "10.0.1.3" }], ports: [{ name: "metrics", port: 7001 }] },
        ],
      },
    );
    const pods = pod("p", "10.0.2.1");
    assert.deepEqual(addressesOf(service() + pods), ["10.0.2.1:9080"]);
    assert.deepEqual(addressesOf(service() + pods + endpoints), ["10.0.1.1:7000"]);
    assert.deepEqual(addressesOf(service() + pods + endpoints + slice([{ addresses: ["10.0.0.1"] }])), [
      "10.0.0.1:8000",
    ]);
    assert.deepEqual(addressesOf(service() + pods + endpoints + slice([])), []);
  });

  it("takes only Pods that are selected, alive and ready, at the ports that they name", () => {
    const ports = [{ name: "http", port: 80, targetPort: "web" }];
    const spec = {
      containers: [{ ports: [{ containerPort: 1 }] }, { ports: [{ name: "web", containerPort: 8001 }] }],
    };
    const notReady = { conditions: [{ type: "Ready", status: "False" }] };
    const text =
      pod("a", "10.0.0.1", { spec, status: { conditions: [{ type: "Ready", status: "True" }] } }) +
      pod("b", "10.0.0.2", { spec, status: notReady }) +
      pod("c", "10.0.0.3", { spec, status: { phase: "Pending" } }) +
      pod("d", "10.0.0.4", { spec, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }) +
      pod("e", "10.0.0.5", { spec, labels: { app: "other" } }) +
      pod("f", "10.0.0.6") +
      pod("g", "10.0.0.7", { spec }).replace('"shop"', '"elsewhere"');
    assert.deepEqual(addressesOf(service({ ports }) + text), ["10.0.0.1:8001"]);
    assert.deepEqual(addressesOf(service({ ports, publishNotReadyAddresses: true }) + text), [
      "10.0.0.1:8001",
      "10.0.0.2:8001",
    ]);
    assert.deepEqual(addressesOf(service({ ports, selector: {} }) + text), []);
    assert.deepEqual(addressesOf(service({ ports, selector: null }) + text), []);
  });

  it("selects WorkloadEntries by a Service, and Pods by a ServiceEntry", () => {
    const machine = istioDocument(
      "WorkloadEntry",
      { name: "vm", namespace: "shop" },
      { address: "10.1.0.1", labels: { app: "reviews" }, ports: { http: 7777 } },
    );
    assert.deepEqual(addressesOf(service() + machine + pod("p", "10.0.0.1")), [
      "10.0.0.1:9080",
      "10.1.0.1:7777",
    ]);
    const entry = istioDocument(
      "ServiceEntry",
      { name: "e", namespace: "shop" },
      {
        hosts: ["reviews.example.com"],
        ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 9080 }],
        resolution: "STATIC",
        workloadSelector: { labels: { app: "reviews" } },
      },
    );
    assert.deepEqual(addressesOf(entry + machine + pod("p", "10.0.0.1"), "reviews.example.com"), [
      "10.1.0.1:7777",
      "10.0.0.1:9080",
    ]);
  });

  it("follows ExternalName to another service, to an outside host, and not in circles", () => {
    const alias = (name: string, externalName: string, ports?: object[]) =>
      document(
        "v1",
        "Service",
        { name, namespace: "shop" },
        { spec: { type: "ExternalName", externalName, ports } },
      );
    const target = "reviews.shop.svc.cluster.local";
    const text =
      service() +
      pod("p", "10.0.0.1") +
      alias("a", target) +
      alias("b", "a.shop.svc.cluster.local.") +
      alias("out", "api.example.com", [{ port: 80 }]) +
      alias("x", "y.shop.svc.cluster.local") +
      alias("y", "x.shop.svc.cluster.local");
    assert.deepEqual(addressesOf(text, "a"), ["10.0.0.1:9080"]);
    assert.deepEqual(addressesOf(text, "b"), ["10.0.0.1:9080"]);
    assert.deepEqual(portsOf(text, "out")?.[0]?.endpoints, [
      { address: "api.example.com", lookup: "all", port: 80, weight: 1, labels: {} },
    ]);
    assert.deepEqual(addressesOf(text, "x"), []);
  });

  it("prefers a Service to a ServiceEntry of its host, which adds endpoints from its own namespace alone", () => {
    const entry = (namespace: string, name = "http") =>
      istioDocument(
        "ServiceEntry",
        { name: "e", namespace },
        {
          hosts: ["reviews.shop.svc.cluster.local"],
          ports: [
            { number: 1234, name, protocol: "HTTP2" },
            { number: 80, name: "more", protocol: "HTTP" },
          ],
          resolution: "STATIC",
          endpoints: [{ address: "10.6.6.6" }],
        },
      );
    const own = service() + pod("p", "10.0.0.1");
    assert.deepEqual(addressesOf(own + entry("shop")), ["10.0.0.1:9080", "10.6.6.6:1234"]);
    assert.deepEqual(addressesOf(entry("shop", "other") + own), ["10.0.0.1:9080"]);
    assert.deepEqual(addressesOf(entry("attacker") + own), ["10.0.0.1:9080"]);
    assert.deepEqual(
      portsOf(entry("shop") + own)?.map(({ number, protocol }) => [number, protocol]),
      [[9080, "http1"]],
    );
  });
});
