// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { TLSSocket } from "node:tls";

import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import { requireService } from "../../../../test/support/services.ts";
import { cleanUp, groupOf, later } from "../../../testing/harness.test.ts";
import {
  callTls,
  dialTls,
  handshakesOf,
  run,
  startTlsEdge,
  tlsServerOf,
  WrittenFiles,
} from "../tls-rig.test.ts";

describe("client certificates", () => {
  let ours: Authority;
  let theirs: Authority;
  let client: Certificate;
  let expired: Certificate;
  let stranger: Certificate;
  let files: WrittenFiles;
  before(function () {
    ours = createAuthority(this);
    theirs = createAuthority(this);
    client = ours.sign("client", "URI:spiffe://mesh.example/ns/shop/sa/web,DNS:web.shop");
    expired = ours.signExpired("expired");
    stranger = theirs.sign("stranger", "URI:spiffe://mesh.example/ns/shop/sa/web");
    const { cert, key } = ours.sign("server");
    files = new WrittenFiles({ crt: cert, key, ca: ours.cert, "ca-2": theirs.cert });
  });
  after(() => {
    ours?.remove();
    theirs?.remove();
  });
  afterEach(cleanUp);

  const credential = { certificateFile: "crt", privateKeyFile: "key" };
  const verifying = { ...credential, authoritiesFile: "ca" };
  const SIMPLE = tlsServerOf("simple", { credential });
  const MUTUAL = tlsServerOf("mutual", { credential: verifying, mode: "mutual" });
  const OPTIONAL = tlsServerOf("optional", { credential: verifying, mode: "optional-mutual" });

  /** The status, or `refused`. TLS 1.3 clients learn of the refusal after their handshake. */
  const statusOf = async (port: number, host: string, tls = {}) => {
    const reply = await callTls(port, host, tls);
    return typeof reply === "string" ? "refused" : reply.status;
  };

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`are demanded by MUTUAL, and verified, over ${maxVersion}`, async () => {
      const rig = await startTlsEdge([MUTUAL], files);
      const status = (certificate?: Certificate) =>
        statusOf(rig.port, "mutual", { maxVersion, cert: certificate?.cert, key: certificate?.key });
      assert.equal(await status(client), 200);
      assert.equal(await status(), "refused");
      assert.equal(await status(expired), "refused");
      assert.equal(await status(stranger), "refused");
      await later(30);
      assert.deepEqual(await handshakesOf(rig), {
        full: 1,
        client_certificate_missing: 1,
        client_certificate_invalid: 2,
      });
    });

    it(`may be left out with OPTIONAL_MUTUAL, but not be wrong, over ${maxVersion}`, async () => {
      const rig = await startTlsEdge([OPTIONAL], files);
      const status = (certificate?: Certificate) =>
        statusOf(rig.port, "optional", { maxVersion, cert: certificate?.cert, key: certificate?.key });
      assert.equal(await status(client), 200);
      assert.equal(await status(), 200);
      assert.equal(await status(expired), "refused");
      assert.equal(await status(stranger), "refused");
      assert.deepEqual(
        rig.policy.checks.map((bag) => groupOf([bag], "connection")["mtls"]),
        [true, false],
      );
    });
  }

  it("are told to policies; without one there is no identity", async () => {
    const { port, policy } = await startTlsEdge([OPTIONAL, SIMPLE], files);
    await statusOf(port, "optional", { cert: client.cert, key: client.key });
    await statusOf(port, "optional");
    await statusOf(port, "simple", { cert: client.cert, key: client.key });
    const seen = policy.checks.map((bag) => {
      const { mtls, requested_server_name } = groupOf([bag], "connection");
      const { principal, user } = groupOf([bag], "source");
      return { mtls, requested_server_name, principal, user };
    });
    const principal = "mesh.example/ns/shop/sa/web";
    const none = { principal: undefined, user: undefined };
    assert.deepEqual(seen, [
      { mtls: true, requested_server_name: "optional", principal, user: principal },
      { mtls: false, requested_server_name: "optional", ...none },
      { mtls: false, requested_server_name: "simple", ...none },
    ]);
  });

  it("of one server's sessions never serve another's, nor a changed authority's", async () => {
    const { port } = await startTlsEdge([SIMPLE, MUTUAL], files);
    const sessionOf = async (host: string, certificate?: Certificate): Promise<Buffer> => {
      const { cert, key } = certificate ?? {};
      const socket = await dialTls(port, host, { maxVersion: "TLSv1.2", cert, key });
      const session = socket.getSession();
      socket.destroy();
      assert.ok(session !== undefined);
      return session;
    };
    const simple = await sessionOf("simple");
    const mutual = await sessionOf("mutual", client);
    const resumed = async (host: string, session: Buffer) => {
      const reply = await callTls(port, host, { maxVersion: "TLSv1.2", session });
      return typeof reply === "string" ? "refused" : reply.resumed;
    };
    assert.equal(await resumed("simple", simple), true);
    assert.equal(await resumed("mutual", mutual), true);
    assert.equal(await resumed("mutual", simple), "refused");
    assert.equal(await resumed("simple", mutual), false);
    files.write("ca", theirs.cert);
    try {
      assert.equal(await resumed("mutual", mutual), "refused");
      assert.equal(await resumed("simple", simple), true);
    } finally {
      files.write("ca", ours.cert);
    }
  });

  it("are taken from curl", async function () {
    const curl = requireService(this, "curl");
    const { port } = await startTlsEdge([MUTUAL], files);
    const url = `https://mutual:${port}/`;
    const base = ["-sS", "--resolve", `mutual:${port}:127.0.0.1`, "-k", "--max-time", "5"];
    const own = ["--cert", client.certFile, "--key", client.keyFile];
    assert.match(await run(curl, [...base, ...own, url]), /^mutual\nexit 0/);
    assert.doesNotMatch(await run(curl, [...base, url]), /exit 0/);
  });

  it("cannot be claimed by a header", async () => {
    const { port, policy } = await startTlsEdge([SIMPLE], files);
    const socket: TLSSocket = await dialTls(port, "simple");
    socket.write(
      "GET / HTTP/1.1\r\nhost: simple\r\nx-forwarded-client-cert: URI=spiffe://mesh.example/admin\r\nconnection: close\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    const { headers } = groupOf(policy.checks, "request") as { readonly headers: Record<string, string> };
    assert.equal(headers["x-forwarded-client-cert"], undefined);
    assert.equal(headers["x-forwarded-proto"], "https");
    assert.equal(groupOf(policy.checks, "source")["principal"], undefined);
  });
});
