// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { requireService } from "../../../../test/support/services.ts";
import type { WorkloadCredential } from "../credentials/workload-credential.ts";
import { MeshTls } from "./mesh-tls.ts";

const NEW_KEY = [
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:prime256v1",
  "-nodes",
  "-keyout",
  "/dev/null",
];
const ID = "spiffe://mesh.example/ns/shop/sa/web";
const LEAF = "basicConstraints=critical,CA:FALSE";
const NAME = `subjectAltName=URI:${ID}`;

describe("the check of a peer's certificate, by the rules of the X.509-SVID standard", function () {
  this.timeout(20_000);
  let openssl: string;

  before(function () {
    openssl = requireService(this, "openssl");
  });

  const peerOf = (extensions: readonly string[]): string => {
    const added = extensions.flatMap((each) => ["-addext", each]);
    const args = ["req", "-x509", "-days", "1", ...NEW_KEY, "-subj", "/CN=x", ...added];
    const certificate = new X509Certificate(execFileSync(openssl, args, { stdio: "pipe" }));
    const credential = { watch: () => () => {}, isRevoked: () => false } as Partial<WorkloadCredential>;
    // The clock of openssl is the machine's.
    const mesh = new MeshTls(credential as WorkloadCredential, { nowMs: () => Date.now() });
    const peer = mesh.peerOf(certificate, { trustDomains: ["mesh.example"] }, []);
    return typeof peer === "string" ? peer : `accepted: ${peer.identity.principal}`;
  };

  const ACCEPTED = /^accepted: mesh\.example\/ns\/shop\/sa\/web$/;
  for (const [what, extensions, answer] of [
    ["as Purser issues it", [LEAF, NAME, "keyUsage=critical,digitalSignature"], ACCEPTED],
    ["as Istio issues it", [LEAF, NAME, "keyUsage=critical,digitalSignature,keyEncipherment"], ACCEPTED],
    ["without a key usage", [LEAF, NAME], ACCEPTED],
    ["of an authority", ["basicConstraints=critical,CA:TRUE", NAME], /authority's/],
    [
      "with keyCertSign",
      [LEAF, NAME, "keyUsage=critical,digitalSignature,keyCertSign"],
      /may sign certificates/,
    ],
    ["with cRLSign", [LEAF, NAME, "keyUsage=critical,digitalSignature,cRLSign"], /may sign certificates/],
    ["without digitalSignature", [LEAF, NAME, "keyUsage=critical,keyAgreement"], /digital signatures/],
    ["with two URIs", [LEAF, `${NAME},URI:spiffe://mesh.example/x`], /more than one URI/],
    ["without a URI", [LEAF, "subjectAltName=DNS:mesh.example"], /no SPIFFE id/],
    ["of another trust domain", [LEAF, "subjectAltName=URI:spiffe://other.example/x"], /trust domain/],
  ] as const)
    it(`${answer === ACCEPTED ? "accepts" : "refuses"} a certificate ${what}`, () => {
      assert.match(peerOf(extensions), answer);
    });
});
