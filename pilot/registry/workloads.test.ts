// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { createStaticRegistry } from "./registry-static.ts";

const service = (labels: object, more: object = {}) =>
  istioDocument(
    "ServiceEntry",
    { name: "reviews", namespace: "shop" },
    {
      hosts: ["reviews"],
      ports: [
        { number: 80, name: "http", protocol: "HTTP", targetPort: 9080 },
        { number: 81, name: "admin", protocol: "HTTP" },
      ],
      resolution: "STATIC",
      workloadSelector: { labels },
      ...more,
    },
  );

const workload = (name: string, spec: object, labels: object = {}, namespace = "shop") =>
  istioDocument("WorkloadEntry", { name, namespace, labels }, spec);

function endpointsOf(text: string, port = 80): readonly Endpoint[] {
  const found = createStaticRegistry(trafficDocuments(text)).find("reviews", "shop");
  assert.ok(found !== undefined);
  return found.ports.find(({ number }) => number === port)?.endpoints ?? [];
}

const addresses = (endpoints: readonly Endpoint[]) => endpoints.map(({ address }) => address);

describe("a ServiceEntry's workloadSelector", () => {
  const app = { app: "reviews" };

  it("selects the WorkloadEntries that have all of its labels, in document order", () => {
    const text =
      workload("b", { address: "10.0.0.2", labels: { ...app, tier: "web", version: "v2" } }) +
      service({ ...app, tier: "web" }) +
      workload("a", { address: "10.0.0.1", labels: { ...app, tier: "web" } }) +
      workload("c", { address: "10.0.0.3", labels: app }) +
      workload("d", { address: "10.0.0.4" }) +
      workload("e", { address: "10.0.0.5", labels: { ...app, tier: "batch" } });
    assert.deepEqual(addresses(endpointsOf(text)), ["10.0.0.2", "10.0.0.1"]);
  });

  it("selects in its own namespace alone", () => {
    const text = service(app) + workload("a", { address: "10.0.0.1", labels: app }, {}, "office");
    assert.deepEqual(endpointsOf(text), []);
  });

  it("reads labels of the metadata, before those of the spec", () => {
    const text =
      service(app) +
      workload("a", { address: "10.0.0.1", labels: { app: "old", version: "v1" } }, app) +
      workload("b", { address: "10.0.0.2", labels: app }, { app: "new" });
    assert.deepEqual(
      endpointsOf(text).map(({ address, labels }) => ({ address, labels })),
      [{ address: "10.0.0.1", labels: { app: "reviews", version: "v1" } }],
    );
  });

  it("is not satisfied by what every object inherits", () => {
    const text = service({ constructor: "x" }) + workload("a", { address: "10.0.0.1" });
    assert.deepEqual(endpointsOf(text), []);
  });

  it("without a match leaves the service without endpoints, with resolution DNS too", () => {
    assert.deepEqual(endpointsOf(service(app, { resolution: "DNS" })), []);
  });

  it("takes ports by name, else the targetPort, else the port", () => {
    const text = service(app) + workload("a", { address: "10.0.0.1", labels: app, ports: { admin: 9 } });
    assert.equal(endpointsOf(text, 80)[0]?.port, 9080);
    assert.equal(endpointsOf(text, 81)[0]?.port, 9);
  });

  it("keeps the workload's weight, name, locality and service account", () => {
    const labels = { ...app, "service.istio.io/workload-name": "reviews-vm" };
    const spec = { address: "10.0.0.1", labels, weight: 3, locality: "eu/b", serviceAccount: "reviews" };
    assert.deepEqual(endpointsOf(service(app) + workload("a", spec)), [
      {
        address: "10.0.0.1",
        port: 9080,
        labels,
        weight: 3,
        workload: "reviews-vm",
        locality: "eu/b",
        serviceAccount: "reviews",
      },
    ]);
  });

  it("lets several services select one workload, and one host join selected and written endpoints", () => {
    const written = istioDocument(
      "ServiceEntry",
      { name: "more", namespace: "shop" },
      {
        hosts: ["reviews"],
        ports: [{ number: 80, name: "web", protocol: "HTTP" }],
        resolution: "STATIC",
        endpoints: [{ address: "10.0.0.9" }],
      },
    );
    const text = service(app) + workload("a", { address: "10.0.0.1", labels: app }) + written;
    assert.deepEqual(addresses(endpointsOf(text)), ["10.0.0.1", "10.0.0.9"]);
  });
});
