// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePeerIdentity, peerIdentityOf } from "./peer-identity.ts";
import { workloadIdOf } from "./spiffe-id.ts";

const USAGE = { digitalSignature: true, keyCertSign: false, cRLSign: false };
const FACTS = {
  uris: ["spiffe://mesh.example/ns/shop/sa/web"],
  isAuthority: false,
  keyUsage: USAGE,
  notBeforeMs: 1_000,
  notAfterMs: 2_000,
};
const DOMAINS = ["mesh.example", "former.example"];

describe("a SPIFFE id", () => {
  it("has a trust domain and a path, by the SPIFFE ID standard", () => {
    for (const id of [
      "spiffe://a/b",
      "spiffe://a.b-c_1/x/Y.z-_0",
      "spiffe://a/..b/...",
      `spiffe://a/${"b".repeat(2_037)}`,
    ])
      assert.equal(parsePeerIdentity(id)?.principal, id.slice("spiffe://".length), id);
    for (const id of [
      "",
      "spiffe://",
      "spiffe://a",
      "spiffe://a/",
      "spiffe:///a",
      "spiffe://a//b",
      "spiffe://a/b/",
      "spiffe://a/./b",
      "spiffe://a/b/..",
      "SPIFFE://a/b",
      "spiffe://A/b",
      "spiffe://a:1/b",
      "spiffe://u@a/b",
      "spiffe://a/b?c",
      "spiffe://a/b#c",
      "spiffe://a/%62",
      "spiffe://a/ü",
      "spiffe://a/b\n",
      " spiffe://a/b",
      "https://a/b",
      `spiffe://${"a".repeat(256)}/b`,
      `spiffe://a/${"b".repeat(2_038)}`,
    ])
      assert.equal(parsePeerIdentity(id), undefined, id);
  });

  it("tells the namespace and the service account only in Istio's form", () => {
    const { namespace, serviceAccount } = parsePeerIdentity("spiffe://a/ns/shop/sa/web") ?? {};
    assert.deepEqual([namespace, serviceAccount], ["shop", "web"]);
    for (const path of ["ns/shop", "ns/shop/sa", "ns/shop/sa/web/x", "x/ns/shop/sa/web", "NS/shop/sa/web"])
      assert.equal(parsePeerIdentity(`spiffe://a/${path}`)?.namespace, undefined, path);
  });

  it("is read as it was written", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
    const domain = fc.stringMatching(/^[a-z0-9._-]{1,30}$/);
    fc.assert(
      fc.property(domain, segment, segment, (trustDomain, namespace, serviceAccount) => {
        const id = workloadIdOf(trustDomain, { namespace, name: serviceAccount });
        const parsed = parsePeerIdentity(id);
        assert.deepEqual(parsed, { principal: id.slice(9), trustDomain, namespace, serviceAccount });
      }),
    );
  });
});

describe("the identity of a peer", () => {
  it("is the one URI of a workload's certificate that is valid now, in one of the trust domains", () => {
    const identity = peerIdentityOf(FACTS, DOMAINS, 1_500);
    assert.ok(typeof identity !== "string");
    assert.equal(identity.principal, "mesh.example/ns/shop/sa/web");
    const former = peerIdentityOf({ ...FACTS, uris: ["spiffe://former.example/x"] }, DOMAINS, 2_000);
    assert.ok(typeof former !== "string");
    const withoutUsage = peerIdentityOf({ ...FACTS, keyUsage: undefined }, DOMAINS, 2_000);
    assert.ok(typeof withoutUsage !== "string");
  });

  for (const [reason, facts, nowMs] of [
    [/authority/, { isAuthority: true }, 1_500],
    [/may sign certificates/, { keyUsage: { ...USAGE, keyCertSign: true } }, 1_500],
    [/may sign certificates/, { keyUsage: { ...USAGE, cRLSign: true } }, 1_500],
    [/may not make digital signatures/, { keyUsage: { ...USAGE, digitalSignature: false } }, 1_500],
    [/no SPIFFE id/, { uris: [] }, 1_500],
    [/more than one URI/, { uris: [...FACTS.uris, ...FACTS.uris] }, 1_500],
    [/more than one URI/, { uris: [...FACTS.uris, "https://a.example"] }, 1_500],
    [/not a SPIFFE id/, { uris: ["https://mesh.example/ns/shop/sa/web"] }, 1_500],
    [/not one of mesh.example, former.example/, { uris: ["spiffe://mesh.example.evil/x"] }, 1_500],
    [/expired/, {}, 2_001],
    [/not valid yet/, {}, 999],
  ] as const) {
    it(`is refused: ${String(reason)}`, () => {
      const identity = peerIdentityOf({ ...FACTS, ...facts }, DOMAINS, nowMs);
      assert.ok(typeof identity === "string");
      assert.match(identity, reason);
    });
  }
});
