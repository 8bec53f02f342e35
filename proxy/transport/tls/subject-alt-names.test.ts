// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { type Authority, createAuthority } from "../../../test/support/certificates.ts";
import { hasSubjectAltName, subjectAltNamesOf } from "./subject-alt-names.ts";

describe("subject alternative names", () => {
  let authority: Authority;
  before(function () {
    authority = createAuthority(this);
  });
  after(() => authority?.remove());

  let made = 0;
  const certificateOf = (names: string): X509Certificate =>
    new X509Certificate(authority.sign(`common.example${made++}`, names).cert);

  it("match DNS names, also by a wildcard, addresses and URIs", () => {
    const certificate = certificateOf(
      "DNS:shop.example.com,DNS:*.api.example.com,IP:127.0.0.1,IP:::1,URI:spiffe://mesh/ns/a/sa/b",
    );
    for (const name of ["shop.example.com", "SHOP.example.com", "v1.api.example.com", "127.0.0.1", "::1"])
      assert.equal(hasSubjectAltName(certificate, name), true, name);
    assert.equal(hasSubjectAltName(certificate, "spiffe://mesh/ns/a/sa/b"), true);
    for (const name of [
      "example.com",
      "a.b.api.example.com",
      "api.example.com",
      "127.0.0.2",
      "spiffe://mesh/ns/a",
    ])
      assert.equal(hasSubjectAltName(certificate, name), false, name);
  });

  it("are all that counts: not the common name", () => {
    const certificate = certificateOf("URI:spiffe://mesh/x");
    assert.equal(hasSubjectAltName(certificate, /CN=(.*)/.exec(certificate.subject)?.[1] ?? ""), false);
  });

  it("cannot hide in one another", () => {
    const injected = { subjectAltName: 'URI:"http://a, URI:spiffe://mesh/admin", DNS:a.example' };
    assert.deepEqual(subjectAltNamesOf(injected), {
      uris: ["http://a, URI:spiffe://mesh/admin"],
      dnsNames: ["a.example"],
    });
  });
});
