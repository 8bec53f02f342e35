// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { type Authority, createAuthority } from "../../../../test/support/certificates.ts";
import { runtime } from "../../../testing/harness.test.ts";
import { WrittenFiles } from "../tls-rig.test.ts";
import { FileWorkloadCredential } from "./file-workload-credential.ts";

describe("a workload's certificate in files", () => {
  let authority: Authority;
  before(function () {
    authority = createAuthority(this);
  });
  after(() => authority?.remove());

  const filesOf = ({ cert, key }: { readonly cert: string; readonly key: string }) =>
    new WrittenFiles({ "w/cert-chain.pem": cert, "w/key.pem": key, "w/root-cert.pem": authority.cert });

  it("is read under Istio's names, with its SPIFFE id", async () => {
    const web = authority.sign("web", "URI:spiffe://mesh.example/ns/shop/sa/web");
    const credential = new FileWorkloadCredential("w", { ...runtime, files: filesOf(web) });
    await credential.settled();
    assert.equal(credential.fault, undefined);
    assert.equal(credential.spiffeId, "spiffe://mesh.example/ns/shop/sa/web");
    assert.equal(credential.material?.authorities, authority.cert);
    assert.equal(credential.isRevoked(), false);
    credential.close();
  });

  it("tells its watchers of new files, keeps the last good ones, and ends with its watch", async () => {
    const one = authority.sign("one", "URI:spiffe://mesh.example/ns/shop/sa/one");
    const two = authority.sign("two", "URI:spiffe://mesh.example/ns/shop/sa/two");
    const files = filesOf(one);
    const credential = new FileWorkloadCredential("w", { ...runtime, files });
    await credential.settled();
    let told = 0;
    const stop = credential.watch(() => told++);
    const { version } = credential;
    files.write("w/cert-chain.pem", two.cert);
    assert.match(credential.fault ?? "", /do not belong together/);
    assert.equal(credential.spiffeId, "spiffe://mesh.example/ns/shop/sa/one");
    assert.deepEqual([told, credential.version], [0, version]);
    files.write("w/key.pem", two.key);
    assert.equal(credential.spiffeId, "spiffe://mesh.example/ns/shop/sa/two");
    assert.deepEqual([told, credential.version], [1, version + 1]);
    stop();
    files.write("w/root-cert.pem", authority.cert + two.cert);
    assert.equal(told, 1);
    credential.close();
    assert.deepEqual(files.watched, []);
  });

  it("names the fault of a certificate that peers would refuse, and of files that are missing", async () => {
    const plain = authority.sign("plain", "DNS:web.shop");
    const credential = new FileWorkloadCredential("w", { ...runtime, files: filesOf(plain) });
    await credential.settled();
    assert.equal(credential.spiffeId, undefined);
    assert.match(credential.fault ?? "", /not exactly one URI that is a SPIFFE id/);
    credential.close();
    const missing = new FileWorkloadCredential("w", { ...runtime, files: new WrittenFiles() });
    await missing.settled();
    assert.match(missing.fault ?? "", /ENOENT/);
    assert.equal(missing.material, undefined);
    missing.close();
  });
});
