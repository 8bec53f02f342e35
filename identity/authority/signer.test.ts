// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leafFault, signerFault } from "../../core/identity/svid-rules.ts";
import { certificateRequest } from "../../test/support/certificate-requests.ts";
import { requireService } from "../../test/support/services.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { readCertificateRequest } from "./certificate-request.ts";
import { newRoot, Signer, type SignerTexts } from "./signer.ts";
import { loadX509, type X509Library } from "./x509-library.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";

describe("issued certificates", () => {
  let openssl: string;
  let x509: X509Library;
  let folder: string;
  before(async function () {
    openssl = requireService(this, "openssl");
    x509 = await loadX509();
    folder = mkdtempSync(join(tmpdir(), "purser-signer-"));
  });
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const run = (...args: readonly string[]): string =>
    execFileSync(openssl, args, { encoding: "utf8", stdio: "pipe" });

  async function issueBy(texts: SignerTexts): Promise<string> {
    const signer = await Signer.of(x509, texts, Date.now());
    const { publicKey } = await readCertificateRequest(x509, (await certificateRequest()).pem);
    return (await signer.issue(publicKey, CART, { nowMs: Date.now(), lifetimeMs: 3_600_000 })).chain;
  }

  it("are verified and read by OpenSSL, under a root of the service", async () => {
    const texts = await newRoot(x509, "cluster.local", Date.now());
    const [root, leaf] = [write("root.pem", texts.root), write("leaf.pem", await issueBy(texts))];
    for (const purpose of ["sslclient", "sslserver"])
      assert.match(
        run("verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, leaf),
        /leaf\.pem: OK/,
      );
    const text = run("x509", "-in", leaf, "-noout", "-text");
    assert.match(text, /Version: 3/);
    assert.match(text, /Subject: *\n/);
    assert.match(text, /Public Key Algorithm: id-ecPublicKey/);
    assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    assert.match(
      text,
      /X509v3 Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n/,
    );
    assert.match(
      text,
      /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/shop\/sa\/cart\n/,
    );
    const rootText = run("x509", "-in", root, "-noout", "-text");
    assert.match(rootText, /X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(rootText, /X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
    assert.match(rootText, /URI:spiffe:\/\/cluster\.local\n/);
  });

  it("keep the rules of X.509-SVIDs, as their root does", async () => {
    const texts = await newRoot(x509, "cluster.local", Date.now());
    const facts = certificateFacts(x509, await issueBy(texts));
    assert.equal(leafFault(facts, { trustDomains: ["cluster.local"], nowMs: Date.now() }), undefined);
    assert.equal(signerFault(certificateFacts(x509, texts.root), Date.now()), undefined);
    // A leaf cannot take the place of a signer, nor a signer that of a leaf.
    assert.notEqual(signerFault(facts, Date.now()), undefined);
    assert.notEqual(
      leafFault(certificateFacts(x509, texts.root), { trustDomains: ["cluster.local"], nowMs: Date.now() }),
      undefined,
    );
  });

  for (const [what, newKey] of [
    ["ECDSA on P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]],
    ["ECDSA on P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]],
    ["RSA of 2,048 bits", ["-newkey", "rsa:2048"]],
  ] as const)
    it(`are verified through an intermediate of OpenSSL with ${what}`, async () => {
      const [rootKey, root, key, certificate] = ["rk", "r", "ik", "i"].map((name) =>
        join(folder, `${name}.pem`),
      ) as [string, string, string, string];
      const common = ["req", "-x509", ...newKey, "-nodes", "-days", "2"];
      run(...common, "-subj", "/CN=root", "-keyout", rootKey, "-out", root);
      const extensions = [
        "basicConstraints=critical,CA:TRUE,pathlen:0",
        "keyUsage=critical,keyCertSign,cRLSign",
      ];
      const given = extensions.flatMap((each) => ["-addext", each]);
      const files = [
        "-subj",
        "/CN=mesh",
        "-keyout",
        key,
        "-out",
        certificate,
        "-CA",
        root,
        "-CAkey",
        rootKey,
      ];
      run(...common, ...given, ...files);
      const [certificateText, rootText, privateKey] = [certificate, root, key].map((path) =>
        readFileSync(path, "utf8"),
      ) as [string, string, string];
      const chain = await issueBy({ certificate: certificateText, root: rootText, privateKey });
      assert.equal(chain.split("BEGIN CERTIFICATE").length - 1, 2);
      const leaf = write("leaf.pem", chain);
      assert.match(run("verify", "-CAfile", root, "-untrusted", leaf, leaf), /OK/);
      assert.notEqual(spawnSync(openssl, ["verify", "-CAfile", root, leaf]).status, 0);
    });

  it("are refused of an intermediate that may not sign", async () => {
    const texts = await newRoot(x509, "cluster.local", Date.now());
    const leaf = await issueBy(texts);
    await assert.rejects(
      Signer.of(x509, { ...texts, certificate: leaf }, Date.now()),
      /not a certificate authority's/,
    );
  });
});
