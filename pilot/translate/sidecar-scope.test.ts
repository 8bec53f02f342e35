// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Labels } from "../../core/traffic/labels.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { addressesOf, destinationsOf, follow } from "../../test/support/translated-routes.ts";
import { translate } from "./translate.ts";

const service = (namespace: string, host: string, ...ports: readonly number[]) =>
  istioDocument(
    "ServiceEntry",
    { name: host, namespace },
    {
      hosts: [host],
      ports: (ports.length === 0 ? [80] : ports).map((number) => ({
        number,
        name: `http-${number}`,
        protocol: "HTTP",
      })),
      resolution: "STATIC",
      endpoints: [{ address: "10.0.0.1" }],
    },
  );

const route = (namespace: string, host: string, to: string) =>
  istioDocument(
    "VirtualService",
    { name: to.replaceAll(".", "-"), namespace },
    { hosts: [host], http: [{ name: `to-${to}`, route: [{ destination: { host: to } }] }] },
  );

const sidecar = (namespace: string, egress: unknown, selector?: Labels) =>
  istioDocument(
    "Sidecar",
    { name: selector === undefined ? "default" : Object.values(selector).join("-"), namespace },
    { egress, ...(selector === undefined ? {} : { workloadSelector: { labels: selector } }) },
  );

const hosts = (...imported: readonly string[]) => [{ hosts: imported }];

const nodeIn = (namespace: string, labels?: Labels): ProxyNode => ({
  role: "sidecar",
  id: "caller-1",
  host: "127.0.0.1",
  service: "caller",
  namespace,
  outboundPort: 15001,
  ...(labels === undefined ? {} : { labels }),
});

const REVIEWS = "reviews.shop.svc.cluster.local";
const RATINGS = "ratings.shop.svc.cluster.local";
const STAFF = "staff.office.svc.cluster.local";
const API = "api.example.com";
const MESH =
  service("shop", REVIEWS) + service("shop", RATINGS) + service("office", STAFF) + service("shop", API);

/** The services that a sidecar in the namespace shop with the labels serves, of the four. */
function served(text: string, labels?: Labels, namespace = "shop"): readonly string[] {
  const config = translate(trafficDocuments(MESH + text), nodeIn(namespace, labels));
  return [REVIEWS, RATINGS, STAFF, API].filter((host) => follow(config, host) !== undefined);
}

describe("the hosts of a Sidecar's egress", () => {
  for (const [imported, expected] of [
    [["*/*"], [REVIEWS, RATINGS, STAFF, API]],
    [["./*"], [REVIEWS, RATINGS, API]],
    [["shop/*"], [REVIEWS, RATINGS, API]],
    [["office/*"], [STAFF]],
    [["~/*"], []],
    [["other/*"], []],
    [[`./${REVIEWS}`], [REVIEWS]],
    [["./reviews"], [REVIEWS]],
    [["*/reviews.shop"], [REVIEWS]],
    [[`office/${REVIEWS}`], []],
    [["*/*.svc.cluster.local"], [REVIEWS, RATINGS, STAFF]],
    [["*/*.example.com"], [API]],
    [["*/example.com"], []],
    [
      [`./${API}`, `office/${STAFF}`],
      [STAFF, API],
    ],
  ] as const)
    it(`${JSON.stringify(imported)} import ${expected.length} of the services`, () => {
      assert.deepEqual(served(sidecar("shop", hosts(...imported))), expected);
    });

  it("are everything when there is no Sidecar, and when it has no egress", () => {
    assert.equal(served("").length, 4);
    assert.equal(served(istioDocument("Sidecar", { name: "x", namespace: "shop" }, {})).length, 4);
  });

  it("do not bring back what exportTo hides", () => {
    const hidden = istioDocument(
      "ServiceEntry",
      { name: "hidden", namespace: "office" },
      {
        hosts: ["hidden.example.com"],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        resolution: "DNS",
        exportTo: ["."],
      },
    );
    const text = MESH + hidden + sidecar("shop", hosts("*/*"));
    assert.equal(follow(translate(trafficDocuments(text), nodeIn("shop")), "hidden.example.com"), undefined);
  });
});

describe("the port of a Sidecar's egress", () => {
  const text =
    service("shop", REVIEWS, 80, 9090) +
    service("office", STAFF, 80, 9090) +
    sidecar("shop", [
      { port: { number: 9090, protocol: "HTTP" }, hosts: ["office/*"] },
      { hosts: ["shop/*"] },
    ]);
  const config = translate(trafficDocuments(text), nodeIn("shop"));
  const clusterOf = (authority: string) => destinationsOf(follow(config, authority))?.[0];

  it("imports that port alone, which is then the service's first", () => {
    assert.equal(clusterOf(STAFF), `outbound|9090||${STAFF}`);
    assert.equal(clusterOf(`${STAFF}:9090`), `outbound|9090||${STAFF}`);
    assert.equal(addressesOf(config, `outbound|80||${STAFF}`), undefined);
  });

  it("leaves the other ports to the item without a port", () => {
    assert.equal(clusterOf(REVIEWS), `outbound|80||${REVIEWS}`);
    assert.equal(addressesOf(config, `outbound|9090||${REVIEWS}`), undefined);
  });
});

describe("routes under a Sidecar", () => {
  const nameOf = (text: string, authority: string) =>
    follow(translate(trafficDocuments(MESH + text), nodeIn("shop")), authority)?.name;

  it("are those of imported namespaces", () => {
    const routes = route("office", REVIEWS, STAFF);
    assert.equal(nameOf(routes + sidecar("shop", hosts("shop/*")), REVIEWS), "default");
    assert.equal(nameOf(routes + sidecar("shop", hosts("shop/*", "office/*")), REVIEWS), `to-${STAFF}`);
    assert.equal(nameOf(routes + sidecar("shop", hosts("shop/*", `office/${STAFF}`)), REVIEWS), "default");
  });

  it("reach destinations that are not imported", () => {
    const text = MESH + route("shop", "front.example.com", STAFF) + sidecar("shop", hosts("shop/*"));
    const config = translate(trafficDocuments(text), nodeIn("shop"));
    assert.equal(follow(config, STAFF), undefined);
    const [cluster] = destinationsOf(follow(config, "front.example.com")) ?? [];
    assert.deepEqual(addressesOf(config, cluster as string), ["10.0.0.1"]);
  });

  it("serve their own hosts when imported, and no others", () => {
    const both = istioDocument(
      "VirtualService",
      { name: "both", namespace: "office" },
      {
        hosts: ["a.example.org", "b.example.org"],
        http: [{ name: "both", route: [{ destination: { host: STAFF } }] }],
      },
    );
    const text = both + sidecar("shop", hosts("office/a.example.org"));
    assert.equal(nameOf(text, "a.example.org"), "both");
    assert.equal(nameOf(text, "b.example.org"), undefined);
  });
});

describe("the Sidecar of a workload", () => {
  const ofNamespace = sidecar("shop", hosts(`./${REVIEWS}`));
  const ofApp = sidecar("shop", hosts(`./${RATINGS}`), { app: "web" });
  const ofOther = sidecar("shop", hosts(`./${API}`), { app: "web", version: "v2" });
  const ofRoot = sidecar("istio-system", hosts("./*"));
  const elsewhere = sidecar("office", hosts("~/*"), { app: "web" });

  for (const [what, text, labels, expected] of [
    ["selects it", ofNamespace + ofRoot + ofApp, { app: "web" }, [RATINGS]],
    ["selects it by some of its labels", ofNamespace + ofApp, { app: "web", tier: "1" }, [RATINGS]],
    ["is for its namespace", ofRoot + ofApp + ofNamespace, { app: "batch" }, [REVIEWS]],
    ["is for its namespace, when it has no labels", ofApp + ofNamespace, undefined, [REVIEWS]],
    ["needs all labels of a selector", ofOther + ofNamespace, { app: "web" }, [REVIEWS]],
    ["comes first of two that select it", ofOther + ofApp, { app: "web", version: "v2" }, [API]],
    ["is the root namespace's", ofRoot + ofApp, { app: "batch" }, [REVIEWS, RATINGS, API]],
    ["is not another namespace's", elsewhere + ofRoot, { app: "web" }, [REVIEWS, RATINGS, API]],
    [
      "is not one of the root namespace that selects",
      sidecar("istio-system", hosts("~/*"), { app: "web" }),
      { app: "web" },
      [REVIEWS, RATINGS, STAFF, API],
    ],
  ] as const)
    it(what, () => {
      assert.deepEqual(served(text, labels), expected);
    });

  it("of the root namespace means the workload's own namespace by a dot", () => {
    assert.deepEqual(served(ofRoot, undefined, "office"), [STAFF]);
  });

  it("of another root namespace", () => {
    const documents = trafficDocuments(MESH + sidecar("mesh-root", hosts("~/*")));
    const inRoot = translate({ ...documents, rootNamespace: "mesh-root" }, nodeIn("shop"));
    assert.equal(follow(inRoot, REVIEWS), undefined);
  });

  it("is none for an edge", () => {
    const edge: ProxyNode = {
      role: "edge",
      id: "e",
      host: "127.0.0.1",
      port: 80,
      trustedHops: 0,
      namespace: "shop",
    };
    const text = MESH.replaceAll('"resolution"', '"location":"MESH_INTERNAL","resolution"') + ofNamespace;
    assert.ok(follow(translate(trafficDocuments(text), edge), STAFF) !== undefined);
  });
});
