// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { requireService } from "../../../../test/support/services.ts";
import { keyUsageOf } from "./key-usage.ts";

const NONE = { digitalSignature: false, keyCertSign: false, cRLSign: false };

describe("the key usage of a certificate", function () {
  this.timeout(20_000);
  let openssl: string;

  before(function () {
    openssl = requireService(this, "openssl");
  });

  const certificate = (...extensions: readonly string[]): Buffer => {
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      "/dev/null",
    ];
    const added = extensions.flatMap((each) => ["-addext", each]);
    const pem = execFileSync(openssl, ["req", "-x509", ...key, "-subj", "/CN=x", ...added], {
      stdio: "pipe",
    });
    return new X509Certificate(pem).raw;
  };

  for (const [written, usage] of [
    ["critical,digitalSignature", { ...NONE, digitalSignature: true }],
    ["digitalSignature", { ...NONE, digitalSignature: true }],
    ["critical,digitalSignature,keyEncipherment", { ...NONE, digitalSignature: true }],
    ["critical,keyCertSign", { ...NONE, keyCertSign: true }],
    ["critical,cRLSign", { ...NONE, cRLSign: true }],
    [
      "critical,digitalSignature,keyCertSign,cRLSign",
      { digitalSignature: true, keyCertSign: true, cRLSign: true },
    ],
    // The ninth bit, in a second octet.
    ["critical,keyAgreement,decipherOnly", NONE],
  ] as const)
    it(`is read as openssl has written it: ${written}`, () => {
      assert.deepEqual(
        keyUsageOf(certificate(`keyUsage=${written}`, "subjectAltName=URI:spiffe://a/b")),
        usage,
      );
    });

  it("is undefined without the extension", () => {
    assert.equal(keyUsageOf(certificate("subjectAltName=URI:spiffe://a/b")), undefined);
  });

  it("is everything that no workload may have when the certificate is cut off", () => {
    const whole = certificate("keyUsage=critical,digitalSignature");
    for (let length = 0; length < whole.length; length++) {
      const usage = keyUsageOf(whole.subarray(0, length));
      assert.equal(usage?.keyCertSign, true, `${length} octets`);
    }
  });

  it("is read of any octets without an error", () => {
    const whole = certificate("keyUsage=critical,digitalSignature");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, octet) => {
        const changed = Buffer.from(whole);
        changed[at] = octet;
        keyUsageOf(changed);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void keyUsageOf(Buffer.from(octets))),
    );
  });
});
