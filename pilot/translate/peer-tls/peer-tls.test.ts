// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../../api/pilot-service.ts";
import { istioDocument, trafficDocuments } from "../../../test/support/traffic-documents.ts";
import { translate } from "../translate.ts";

const SIDECAR = { "purser.dev/sidecar": "true" };

const cart = (more: object = {}) =>
  istioDocument(
    "ServiceEntry",
    { name: "cart", namespace: "shop" },
    {
      hosts: ["cart.shop.svc.cluster.local"],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 15006 }],
      endpoints: [
        { address: "10.0.0.1", labels: { ...SIDECAR, app: "cart" }, serviceAccount: "cart" },
        { address: "10.0.0.2", labels: { ...SIDECAR, app: "cart", old: "yes" } },
        { address: "10.0.0.3", labels: { app: "cart" } },
      ],
      ...more,
    },
  );

const authentication = (mode: string, more: object = {}, name = "default") =>
  `${JSON.stringify({
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name, namespace: "shop" },
    spec: { mtls: { mode }, ...more },
  })}\n---\n`;

const rule = (tls: object) =>
  istioDocument(
    "DestinationRule",
    { name: "cart", namespace: "shop" },
    { host: "cart.shop.svc.cluster.local", trafficPolicy: { tls } },
  );

const MESH = `{"apiVersion":"purser.dev/v1","kind":"MeshConfig","metadata":{"name":"m"},"spec":{"trustDomain":"a.example","trustDomainAliases":["b.example","a.example"]}}\n---\n`;

const CALLER: ProxyNode = {
  role: "sidecar",
  id: "1",
  host: "127.0.0.1",
  service: "web.shop.svc.cluster.local",
  namespace: "shop",
  outboundPort: 15001,
  mtls: true,
};

const CALLED: ProxyNode = {
  role: "sidecar",
  id: "2",
  host: "127.0.0.1",
  service: "cart.shop.svc.cluster.local",
  labels: { app: "cart" },
  outboundPort: 15001,
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 8080 },
  mtls: true,
};

/** TLS of cart's three endpoints, for a caller. */
function tlsOf(text: string, node: ProxyNode = CALLER) {
  const { endpoints } = translate(trafficDocuments(text), node);
  return endpoints.resources.find(({ name }) => name.includes("cart"))?.endpoints.map(({ tls }) => tls);
}

function inboundOf(text: string, node: ProxyNode = CALLED) {
  const { listeners } = translate(trafficDocuments(text), node);
  return listeners.resources.find(({ name }) => name === "inbound")?.peerTls;
}

describe("mutual TLS of a caller", () => {
  it("is for the sidecars that accept it, by each one's identity", () => {
    for (const mode of ["PERMISSIVE", "STRICT", "UNSET"]) {
      const [known, unknown, none] = tlsOf(cart() + authentication(mode) + MESH) ?? [];
      assert.deepEqual(known, {
        credential: {},
        serverName: "cart.shop.svc.cluster.local",
        subjectAltNames: ["spiffe://a.example/ns/shop/sa/cart", "spiffe://b.example/ns/shop/sa/cart"],
        skipsVerification: false,
        peers: { trustDomains: ["a.example", "b.example"] },
      });
      assert.deepEqual(unknown?.subjectAltNames, []);
      assert.equal(none, undefined);
    }
  });

  it("is off without a document, in mode DISABLE, without a certificate, and where a DestinationRule says so", () => {
    const none = [undefined, undefined, undefined];
    assert.deepEqual(tlsOf(cart()), none);
    assert.deepEqual(tlsOf(cart() + authentication("DISABLE")), none);
    assert.deepEqual(tlsOf(cart() + authentication("STRICT"), { ...CALLER, mtls: false }), none);
    assert.deepEqual(tlsOf(cart() + authentication("STRICT") + rule({ mode: "DISABLE" })), none);
    assert.deepEqual(tlsOf(cart() + authentication("STRICT") + rule({ mode: "SIMPLE" })), none);
  });

  it("follows each endpoint's own labels and port", () => {
    const old = { selector: { matchLabels: { old: "yes" } } };
    const ports = { ...old, portLevelMtls: { 15006: { mode: "DISABLE" } } };
    for (const exception of [authentication("DISABLE", old, "old"), authentication("STRICT", ports, "old")])
      assert.deepEqual(
        tlsOf(cart() + authentication("STRICT") + exception)?.map((tls) => tls !== undefined),
        [true, false, false],
      );
  });

  it("takes the identities of the ServiceEntry too", () => {
    const subjectAltNames = ["spiffe://cluster.local/ns/shop/sa/all"];
    const [known, unknown] = tlsOf(cart({ subjectAltNames }) + authentication("STRICT")) ?? [];
    assert.deepEqual(known?.subjectAltNames, [...subjectAltNames, "spiffe://cluster.local/ns/shop/sa/cart"]);
    assert.deepEqual(unknown?.subjectAltNames, subjectAltNames);
  });

  it("is for every endpoint with ISTIO_MUTUAL, whatever a PeerAuthentication says", () => {
    const tls = tlsOf(
      cart() + rule({ mode: "ISTIO_MUTUAL", sni: "x.example", subjectAltNames: ["spiffe://a/b"] }),
    );
    assert.equal(tls?.length, 3);
    for (const each of tls) {
      assert.equal(each?.serverName, "x.example");
      assert.deepEqual(each.subjectAltNames, ["spiffe://a/b"]);
      assert.deepEqual(each.peers, { trustDomains: ["cluster.local"] });
    }
  });
});

describe("mutual TLS of a sidecar's inbound listener", () => {
  it("is as its PeerAuthentication says", () => {
    const trustDomains = ["cluster.local"];
    assert.equal(inboundOf(cart()), undefined);
    assert.equal(inboundOf(cart() + authentication("DISABLE")), undefined);
    assert.deepEqual(inboundOf(cart() + authentication("PERMISSIVE")), { mode: "permissive", trustDomains });
    assert.deepEqual(inboundOf(cart() + authentication("STRICT")), { mode: "strict", trustDomains });
  });

  it("without a certificate refuses plain text in mode STRICT alone", () => {
    const node = { ...CALLED, mtls: false };
    assert.equal(inboundOf(cart() + authentication("PERMISSIVE"), node), undefined);
    assert.equal(inboundOf(cart() + authentication("STRICT"), node)?.mode, "strict");
  });

  it("is never of an outbound listener or an edge", () => {
    const text = cart() + authentication("STRICT");
    for (const node of [
      CALLER,
      { role: "edge", id: "3", host: "127.0.0.1", port: 80, trustedHops: 0 } as const,
    ])
      for (const { peerTls } of translate(trafficDocuments(text), node).listeners.resources)
        assert.equal(peerTls, undefined);
  });
});
