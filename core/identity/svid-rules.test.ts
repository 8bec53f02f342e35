// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type CertificateFacts, CLIENT_AUTH, leafFault, SERVER_AUTH, signerFault } from "./svid-rules.ts";

const USAGE = { isCritical: true, digitalSignature: true, keyCertSign: false, cRLSign: false };
const LEAF: CertificateFacts = {
  uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
  hasSubject: false,
  isSanCritical: true,
  isAuthority: false,
  keyUsage: USAGE,
  extendedKeyUsages: [SERVER_AUTH, CLIENT_AUTH],
  notBeforeMs: 1_000,
  notAfterMs: 9_000,
};
const SIGNER: CertificateFacts = {
  ...LEAF,
  uris: ["spiffe://cluster.local"],
  isAuthority: true,
  keyUsage: { ...USAGE, digitalSignature: false, keyCertSign: true },
  extendedKeyUsages: undefined,
};

describe("the rules of X.509-SVIDs", () => {
  type Case = readonly [what: string, change: Partial<CertificateFacts>, fault: RegExp | undefined];
  const leaves: readonly Case[] = [
    ["as issued", {}, undefined],
    ["with a subject and names that are not critical", { hasSubject: true, isSanCritical: false }, undefined],
    ["without extended key usages", { extendedKeyUsages: undefined }, undefined],
    [
      "with a further extended key usage",
      { extendedKeyUsages: [SERVER_AUTH, CLIENT_AUTH, "1.2.3"] },
      undefined,
    ],
    ["without a URI", { uris: [] }, /no URI/],
    ["with two URIs", { uris: [...LEAF.uris, "spiffe://cluster.local/x"] }, /more than one URI/],
    ["with the same URI twice", { uris: [...LEAF.uris, ...LEAF.uris] }, /more than one URI/],
    ["with another URI", { uris: ["https://cluster.local/x"] }, /not a SPIFFE id/],
    ["with the trust domain's id", { uris: ["spiffe://cluster.local"] }, /no path/],
    ["of another trust domain", { uris: ["spiffe://other/x"] }, /other is not trusted/],
    ["of a domain that ends like the trusted one", { uris: ["spiffe://xcluster.local/x"] }, /not trusted/],
    ["of an authority", { isAuthority: true }, /authority's/],
    ["without a key usage", { keyUsage: undefined }, /no key usage/],
    ["with a key usage that is not critical", { keyUsage: { ...USAGE, isCritical: false } }, /not critical/],
    ["without digitalSignature", { keyUsage: { ...USAGE, digitalSignature: false } }, /digital signatures/],
    ["with keyCertSign", { keyUsage: { ...USAGE, keyCertSign: true } }, /sign certificates/],
    ["with cRLSign", { keyUsage: { ...USAGE, cRLSign: true } }, /revocation lists/],
    ["for servers alone", { extendedKeyUsages: [SERVER_AUTH] }, /lacks/],
    ["for clients alone", { extendedKeyUsages: [CLIENT_AUTH] }, /lacks/],
    ["with neither a subject nor critical names", { isSanCritical: false }, /no subject/],
    ["in its first millisecond", { notBeforeMs: 5_000 }, undefined],
    ["before that", { notBeforeMs: 5_001 }, /not valid yet/],
    ["in its last millisecond", { notAfterMs: 5_000 }, undefined],
    ["after that", { notAfterMs: 4_999 }, /has ended/],
  ];
  for (const [what, change, fault] of leaves)
    it(`${fault === undefined ? "accept" : "refuse"} a leaf ${what}`, () => {
      const found = leafFault({ ...LEAF, ...change }, { trustDomains: ["cluster.local"], nowMs: 5_000 });
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "accepted", fault);
    });

  const signers: readonly Case[] = [
    ["with the trust domain's id", {}, undefined],
    ["without a URI", { uris: [] }, undefined],
    ["with a workload's id", { uris: LEAF.uris }, /no path/],
    ["with two URIs", { uris: ["spiffe://a", "spiffe://b"] }, /more than one URI/],
    ["that is no authority", { isAuthority: false }, /not a certificate authority's/],
    ["without keyCertSign", { keyUsage: USAGE }, /may not sign/],
    ["without a key usage", { keyUsage: undefined }, /no key usage/],
    ["that has ended", { notAfterMs: 1 }, /has ended/],
  ];
  for (const [what, change, fault] of signers)
    it(`${fault === undefined ? "accept" : "refuse"} a signer ${what}`, () => {
      const found = signerFault({ ...SIGNER, ...change }, 5_000);
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "accepted", fault);
    });
});
