// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain } from "../../test/support/run-main.ts";

describe("purser identity", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-identity-"));
    writeFileSync(join(folder, "key"), "k".repeat(43));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /needs --state/],
    [["--state", "x", "--trust-domain", "Cluster"], /must be a name such as cluster\.local/],
    [["--state", "x", "--certificate-lifetime", "1s"], /from 5s to 7d/],
    [["--state", "x", "--certificate-lifetime", "8d"], /from 5s to 7d/],
    [["token", "--key-file", "x"], /--service-account/],
    [["token", "--service-account", "cart", "--key-file", "x"], /NAMESPACE\/NAME/],
    [["token", "--service-account", "shop/cart"], /--key-file/],
    [["token", "--service-account", "shop/cart", "--key-file", "missing"], /missing cannot be read/],
    [["token", "--service-account", "shop/cart", "--key-file", "x", "--for", "8d"], /from 1s to 7d/],
    [["revoke", "spiffe://a/ns/b/sa/c", "--key-file", "x"], /--reason/],
    [["revoke", "--key-file", "x", "--reason", "y"], /spiffe-id/],
  ];
  for (const [args, message] of wrong)
    it(`refuses ${["identity", ...args].join(" ")}`, async () => {
      const { code, err } = await runMain("identity", ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    });

  it("refuses --ca-cert without its key, and files that are not there", async () => {
    const where = ["--state", join(folder, "state"), "--identity-port=0", "--admin-port=0"];
    for (const [args, message] of [
      [["--ca-cert", "x"], /belong together/],
      [["--ca-root", "x"], /belong together/],
      [["--ca-cert", "missing", "--ca-key", "missing"], /missing cannot be read/],
    ] as const) {
      const { code, err } = await runMain("identity", ...where, ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  });

  it("says with 1 that the identity service does not answer", async () => {
    const where = ["--key-file", join(folder, "key"), "--identity", "http://127.0.0.1:1"];
    const { code, err } = await runMain("identity", "status", ...where);
    assert.equal(code, 1);
    assert.match(err, /does not answer.*PURSER_IDENTITY_UNAVAILABLE/);
  });
});

describe("a proxy with an identity service", () => {
  const PROXY = ["proxy", "--role=edge", "--pilot=http://127.0.0.1:1", "--mixer=http://127.0.0.1:1"];
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--identity=https://127.0.0.1:1"], /belong together/],
    [["--join-token-file=x"], /belong together/],
    [["--identity=http://127.0.0.1:1", "--join-token-file=x"], /must be an https: URL/],
    [["--identity=https://127.0.0.1:1", "--join-token-file=x", "--workers=2"], /needs --workers 1/],
    [["--identity=https://127.0.0.1:1", "--join-token-file=x", "--workload-certs=y"], /exclude each other/],
  ];
  for (const [args, message] of wrong)
    it(`refuses ${args.join(" ")}`, async () => {
      const { code, err } = await runMain(...PROXY, "--admin-port=0", "--edge-port=0", ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    });
});
