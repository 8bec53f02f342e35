// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { LocalityLbSettingSpec } from "../../core/documents/kinds/load-balancer.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { localized } from "./localities.ts";
import { translate } from "./translate.ts";

function endpointAt(
  locality: string | undefined,
  more: { readonly weight?: number; readonly labels?: Readonly<Record<string, string>> } = {},
): Endpoint {
  const place = locality === undefined ? {} : { locality };
  return { address: "10.0.0.1", port: 80, weight: 1, labels: {}, ...place, ...more };
}

const PLACES = ["r1/z1/s1", "r1/z1/s2", "r1/z1", "r1/z2/s1", "r2/z1/s1", "r3/z9", undefined] as const;
const ENDPOINTS = PLACES.map((place) => endpointAt(place));

const prioritiesOf = (
  setting: LocalityLbSettingSpec,
  proxyLocality = "r1/z1/s1",
  endpoints: readonly Endpoint[] = ENDPOINTS,
): readonly number[] =>
  localized(endpoints, proxyLocality, setting).endpoints.map(({ priority }) => priority ?? 0);

describe("failover of localities", () => {
  it("prefers the same subzone, then zone, then region", () => {
    assert.deepEqual(prioritiesOf({}), [0, 1, 1, 2, 3, 3, 3]);
    assert.deepEqual(prioritiesOf({}, "r1/z1"), [1, 1, 0, 2, 3, 3, 3]);
    assert.deepEqual(prioritiesOf({}, "r1"), [0, 0, 0, 0, 1, 1, 1]);
  });

  it("has priorities without gaps", () => {
    assert.deepEqual(prioritiesOf({}, "r2/z1/s9"), [1, 1, 1, 1, 0, 1, 1]);
    assert.deepEqual(prioritiesOf({}, "r4"), [0, 0, 0, 0, 0, 0, 0]);
  });

  it("goes to the named region before all others", () => {
    const failover = [
      { from: "r9", to: "r2" },
      { from: "r1", to: "r3" },
    ];
    assert.deepEqual(prioritiesOf({ failover }), [0, 1, 1, 2, 4, 3, 4]);
    assert.deepEqual(prioritiesOf({ failover }, "r2/z1/s1"), [1, 1, 1, 1, 0, 1, 1]);
  });

  it("does nothing when it is not enabled, not set, or the proxy's locality is unknown", () => {
    const cases: readonly (readonly [string, LocalityLbSettingSpec | undefined])[] = [
      ["r1", { enabled: false }],
      ["r1", undefined],
      ["", {}],
      ["", { distribute: [{ from: "*", to: { "*": 100 } }] }],
    ];
    for (const [locality, setting] of cases)
      assert.deepEqual(localized(ENDPOINTS, locality, setting), { endpoints: ENDPOINTS });
  });
});

describe("failover by labels", () => {
  const endpoints = [
    endpointAt("r1/z1", { labels: { version: "v1" } }),
    endpointAt("r1/z2", { labels: { version: "v1" } }),
    endpointAt("r1/z1", { labels: { version: "v2" } }),
    endpointAt("r2/z1", { labels: {} }),
    endpointAt(undefined, { labels: { version: "v1", "topology.kubernetes.io/zone": "z1" } }),
  ];

  it("counts the labels that match from the first on", () => {
    const failoverPriority = ["version=v1", "topology.kubernetes.io/zone"];
    assert.deepEqual(prioritiesOf({ failoverPriority }, "r1/z1", endpoints), [0, 1, 2, 2, 0]);
  });

  it("compares the proxy's own region, zone and subzone, absent ones too", () => {
    const failoverPriority = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
    assert.deepEqual(prioritiesOf({ failoverPriority }, "r1/z1", endpoints), [0, 1, 0, 2, 2]);
    // Without a locality, the proxy has no region either, as the last endpoint.
    assert.deepEqual(
      prioritiesOf({ failoverPriority }, "", endpoints),
      [2, 2, 2, 2, 1].map((rank) => rank - 1),
    );
  });
});

describe("distribution over localities", () => {
  const distribute = [
    { from: "r9", to: { "*": 100 } },
    { from: "r1/z1/*", to: { "r1/z1/*": 80, "r2/*": 20 } },
  ];

  it("gives the named localities their shares, divided by weights, and the others nothing", () => {
    const endpoints = [
      endpointAt("r1/z1/s1", { weight: 3 }),
      endpointAt("r1/z1/s2"),
      endpointAt("r2/z1"),
      endpointAt("r3/z1"),
      endpointAt(undefined),
    ];
    const placed = localized(endpoints, "r1/z1/s1", { distribute });
    assert.deepEqual(placed.endpoints, endpoints.slice(0, 3));
    assert.deepEqual(placed.localityWeights, { "r1/z1/s1": 60, "r1/z1/s2": 20, "r2/z1": 20 });
  });

  it("leaves all endpoints alike for a proxy that no entry covers", () => {
    assert.deepEqual(localized(ENDPOINTS, "r5/z1", { distribute }), { endpoints: ENDPOINTS });
  });

  it("reaches endpoints of unknown locality by * only", () => {
    const placed = localized([endpointAt(undefined)], "r9", { distribute });
    assert.deepEqual(placed.localityWeights, { "": 100 });
  });

  it("takes names that objects inherit for localities like others", () => {
    for (const name of ["constructor", "__proto__"]) {
      const endpoints = [endpointAt(name), endpointAt("r1/z1/s1")];
      const { localityWeights = {} } = localized(endpoints, "r9", { distribute });
      assert.deepEqual(Object.entries(localityWeights), [
        [name, 50],
        ["r1/z1/s1", 50],
      ]);
    }
  });
});

describe("localities in documents", () => {
  const documents = (sidecarPlace: string, loadBalancer: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a }
spec:
  hosts: [a]
  location: MESH_INTERNAL
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints:
    - { address: 10.0.0.1, locality: ${sidecarPlace}, labels: { "purser.dev/sidecar": "true" } }
    - { address: 10.0.0.2, locality: r2/z1 }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a, trafficPolicy: { loadBalancer: ${loadBalancer} } }
`;
  const edge = { role: "edge", id: "e", host: "127.0.0.1", port: 80, trustedHops: 0 } as const;

  it("give proxies of different localities different endpoints, and the same clusters", () => {
    const text = trafficDocuments(documents("r1/z1", "{ localityLbSetting: {} }"));
    const [near, far] = ["r1/z1", "r2/z1"].map((locality) => translate(text, { ...edge, locality }));
    const priorities = (resources: typeof near) =>
      resources?.endpoints.resources[0]?.endpoints.map(({ priority }) => priority);
    assert.deepEqual(priorities(near), [0, 1]);
    assert.deepEqual(priorities(far), [1, 0]);
    assert.equal(near?.clusters.version, far?.clusters.version);
  });

  it("leave the check to the destination when all endpoints with a share are sidecars", () => {
    const share = "{ localityLbSetting: { distribute: [{ from: r1, to: { r1: 100 } }] } }";
    const at = (locality: string, text: string) =>
      translate(trafficDocuments(text), { ...edge, locality }).endpoints.resources[0]?.checkedByDestination;
    assert.equal(at("r1", documents("r1/z1", share)), true);
    assert.equal(at("r2", documents("r1/z1", share)), false);
    assert.equal(at("r1", documents("r3/z1", share)), false);
  });
});
