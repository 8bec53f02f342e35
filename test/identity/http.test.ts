// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { Agent, request } from "undici";
import type { IssuedIdentity, ShownCertificate, TrustState } from "../../api/identity-service.ts";
import { Identity } from "../../identity/identity.ts";
import { type IdentityHttpServers, startIdentityHttpServers } from "../../identity/servers/http-servers.ts";
import { MemoryStore } from "../../identity/state/memory-store.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/logger.ts";
import { createSeededRandom } from "../../plugins/sdk/testing/seeded-random.ts";
import { createRealTime } from "../../plugins/sdk/testing/time.ts";
import { createHttpIdentityService } from "../../proxy/identity/http-identity-service.ts";
import { newKeyRequest } from "../../proxy/identity/key-request.ts";
import { RemoteIdentity } from "../../tools/identity/remote-identity.ts";
import { createAuthority } from "../support/certificates.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const OPERATOR_KEY = "k".repeat(43);

describe("the identity service over HTTP", () => {
  const time = createRealTime();
  const runtime = { ...time, random: createSeededRandom(), logger: createCollectingLogger() };
  let identity: Identity;
  let servers: IdentityHttpServers;
  let url: string;
  let operators: RemoteIdentity;

  const startIdentity = (lifetimeMs = 3_600_000) =>
    Identity.start({ ...runtime, trustDomain: "cluster.local", lifetimeMs, store: new MemoryStore() });

  async function serve(served: Identity): Promise<IdentityHttpServers> {
    const where = { host: "127.0.0.1", port: 0 };
    return startIdentityHttpServers({
      ...runtime,
      identity: served,
      workloads: where,
      operators: where,
      operatorKey: OPERATOR_KEY,
    });
  }

  beforeEach(async () => {
    identity = await startIdentity();
    servers = await serve(identity);
    url = `https://127.0.0.1:${servers.workloads.port}`;
    operators = new RemoteIdentity(`http://127.0.0.1:${servers.operators.port}`, OPERATOR_KEY);
  });
  afterEach(async () => {
    await servers.close(100);
    await identity.close();
  });

  const refusedWith = (code: string) => (error: unknown) => isPurserError(error) && error.code === code;
  const serviceAt = (address = url) => createHttpIdentityService({ ...runtime, url: address, pollMs: 5_000 });

  async function join(
    serviceAccount = "shop/cart",
  ): Promise<{ issued: IssuedIdentity; shown: ShownCertificate }> {
    const { token: joinToken } = await operators.createToken({ serviceAccount });
    const { certificateRequest, privateKey } = await newKeyRequest();
    const issued = await serviceAt().issue({ certificateRequest, joinToken }, undefined);
    const { certificateChain, trust } = issued;
    return { issued, shown: { certificateChain, privateKey, trustBundle: trust.trustBundle } };
  }

  /** A call with any client certificate; the server is not verified. */
  async function call(
    path: string,
    tls: { readonly cert?: string; readonly key?: string } = {},
    body?: string,
  ) {
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false, ...tls } });
    try {
      const reply = await request(url + path, {
        dispatcher,
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
      });
      const json = (await reply.body.json()) as { readonly error?: { readonly code: string } };
      return { status: reply.statusCode, code: json.error?.code };
    } finally {
      await dispatcher.close();
    }
  }

  it("issues by a token, and renews by the certificate of the handshake", async () => {
    const { issued, shown } = await join();
    assert.equal(issued.spiffeId, CART);
    const { certificateRequest } = await newKeyRequest();
    const renewed = await serviceAt().issue({ certificateRequest }, shown);
    assert.equal(renewed.spiffeId, CART);
    assert.notEqual(
      new X509Certificate(renewed.certificateChain).serialNumber,
      new X509Certificate(issued.certificateChain).serialNumber,
    );
  });

  it("asks for a certificate of its own: none, and strangers', are refused", async function () {
    const stranger = createAuthority(this).sign("stranger", `URI:${CART}`);
    const { certificateRequest } = await newKeyRequest();
    const body = JSON.stringify({ certificateRequest });
    for (const tls of [{}, { cert: stranger.cert, key: stranger.key }]) {
      const refused = { status: 401, code: "PURSER_IDENTITY_UNAUTHENTICATED" };
      assert.deepEqual(await call("/v1/identity/trust", tls), refused);
      assert.deepEqual(await call("/v1/identity/certificates", tls, body), refused);
    }
    assert.equal((await call("/v1/identity/roots")).status, 200);
  });

  it("takes no certificate of another trust domain for a workload's, whoever has signed it", async () => {
    const other = await Identity.start({
      ...runtime,
      trustDomain: "other.example",
      lifetimeMs: 60_000,
      store: new MemoryStore(),
    });
    const { certificateChain } = await other.issuance.ownCertificate();
    const peer = identity.issuance.peerOf(new X509Certificate(certificateChain));
    assert.match(typeof peer === "string" ? peer : "accepted", /not trusted/);
    await other.close();
  });

  it("answers a held poll at once after a revocation; the revoked workload is refused", async () => {
    const [{ shown: cart, issued }, { shown: reviews }] = [await join(), await join("shop/reviews")];
    const news = new Promise<TrustState>((resolve) => {
      const stop = serviceAt().watchTrust(issued.trust, reviews, (trust) => {
        stop();
        resolve(trust);
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startMs = performance.now();
    const change = await operators.revoke({ spiffeId: CART, reason: "stolen" });
    assert.deepEqual(change, { spiffeId: CART, changed: true, certificates: 1 });
    assert.deepEqual((await news).revokedIds, [CART]);
    assert.ok(performance.now() - startMs < 1_000);
    const { certificateRequest } = await newKeyRequest();
    await assert.rejects(
      serviceAt().issue({ certificateRequest }, cart),
      refusedWith("PURSER_IDENTITY_REVOKED"),
    );
    assert.equal((await operators.restore({ spiffeId: CART, reason: "found" })).changed, true);
  });

  it("gets no token shown by a proxy when it is not the service of the token", async () => {
    const impostor = await startIdentity();
    const impostorServers = await serve(impostor);
    const address = `https://127.0.0.1:${impostorServers.workloads.port}`;
    const { token: joinToken } = await operators.createToken({ serviceAccount: "shop/cart" });
    const { certificateRequest } = await newKeyRequest();
    await assert.rejects(
      serviceAt(address).issue({ certificateRequest, joinToken }, undefined),
      refusedWith("PURSER_IDENTITY_TOKEN"),
    );
    assert.equal(impostor.issuance.counts.refusals, 0);
    await impostorServers.close(0);
    await impostor.close();
  });

  it("gets no token shown when a workload of the mesh takes its place, with the right roots", async () => {
    const { shown, issued } = await join("shop/evil");
    const received: string[] = [];
    const evil = createServer(
      { cert: shown.certificateChain, key: shown.privateKey },
      (incoming, outgoing) => {
        received.push(incoming.url ?? "");
        outgoing.end(JSON.stringify({ trustBundle: issued.trust.trustBundle }));
      },
    );
    await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
    const address = `https://127.0.0.1:${(evil.address() as AddressInfo).port}`;
    const { token: joinToken } = await operators.createToken({ serviceAccount: "shop/cart" });
    const { certificateRequest } = await newKeyRequest();
    await assert.rejects(
      serviceAt(address).issue({ certificateRequest, joinToken }, undefined),
      (error) =>
        refusedWith("PURSER_IDENTITY_UNAVAILABLE")(error) &&
        /shop\/sa\/evil, not the identity/.test(String(error)),
    );
    await assert.rejects(
      serviceAt(address).issue({ certificateRequest }, shown),
      refusedWith("PURSER_IDENTITY_UNAVAILABLE"),
    );
    assert.deepEqual(received, ["/v1/identity/roots"]);
    evil.closeAllConnections();
    evil.close();
  });

  const wrongBodies: readonly (readonly [string, string, number, string])[] = [
    ["no JSON", "{", 400, "PURSER_REQUEST_INVALID"],
    ["no request", "{}", 400, "PURSER_REQUEST_INVALID"],
    ["an unknown field", '{"certificateRequest":"x","sa":"admin"}', 400, "PURSER_REQUEST_INVALID"],
    ["too much", JSON.stringify({ certificateRequest: "x".repeat(40_000) }), 413, "PURSER_REQUEST_TOO_LARGE"],
    ["a token of another form", '{"certificateRequest":"x","joinToken":"y"}', 403, "PURSER_IDENTITY_TOKEN"],
  ];
  for (const [what, body, status, code] of wrongBodies)
    it(`refuses a body with ${what}`, async () =>
      assert.deepEqual(await call("/v1/identity/certificates", {}, body), { status, code }));

  it("speaks TLS 1.3 alone, and resumes no session", async () => {
    const outcome = (maxVersion: "TLSv1.2" | "TLSv1.3") =>
      new Promise<string>((resolve) => {
        const socket = connectTls({
          port: servers.workloads.port,
          host: "127.0.0.1",
          rejectUnauthorized: false,
          maxVersion,
        });
        socket.once("error", ({ message }) => resolve(message));
        socket.once("secureConnect", () => {
          resolve(socket.getProtocol() ?? "?");
          socket.destroy();
        });
      });
    assert.match(await outcome("TLSv1.2"), /protocol version/);
    assert.equal(await outcome("TLSv1.3"), "TLSv1.3");
  });

  it("asks operators for their key, and shows health and metrics without it", async () => {
    const base = `http://127.0.0.1:${servers.operators.port}`;
    for (const key of ["", "wrong", OPERATOR_KEY.slice(1)]) {
      const stranger = new RemoteIdentity(base, key);
      const refused = refusedWith("PURSER_IDENTITY_UNAUTHENTICATED");
      await assert.rejects(stranger.createToken({ serviceAccount: "shop/cart" }), refused);
      await assert.rejects(stranger.revoke({ spiffeId: CART, reason: "x" }), refused);
      await assert.rejects(stranger.restore({ spiffeId: CART, reason: "x" }), refused);
      await assert.rejects(stranger.rotateRoot(), refused);
      await assert.rejects(stranger.status(), refused);
    }
    assert.equal((await operators.status()).openTokens, 0);
    for (const path of ["/healthz", "/readyz", "/metrics"])
      assert.equal((await fetch(base + path)).status, 200, path);
    // The port for proxies has no calls for operators.
    assert.equal((await call("/v1/identity/status")).status, 404);
  });

  it("goes over to a new certificate of its own when its root is rotated, for connections from then on", async () => {
    const { shown, issued } = await join();
    const before = identity.signerId;
    await operators.rotateRoot();
    let trust = issued.trust;
    let stop = (): void => {};
    await new Promise<void>((resolve) => {
      stop = serviceAt().watchTrust(trust, shown, (next) => {
        trust = next;
        resolve();
      });
    });
    const endMs = Date.now() + 5_000;
    while (identity.signerId === before && Date.now() < endMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.notEqual(identity.signerId, before);
    stop();
    const { certificateRequest } = await newKeyRequest();
    const now = { ...shown, trustBundle: trust.trustBundle };
    assert.equal((await serviceAt().issue({ certificateRequest }, now)).spiffeId, CART);
  });

  it("closes without delay while polls are held", async () => {
    const { shown, issued } = await join();
    const stop = serviceAt().watchTrust(issued.trust, shown, () => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startMs = performance.now();
    await servers.close(5_000);
    assert.ok(performance.now() - startMs < 2_000);
    stop();
  });
});
