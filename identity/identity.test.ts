// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { isPurserError } from "../kernel/errors.ts";
import { createCollectingLogger } from "../plugins/sdk/testing/logger.ts";
import { createVirtualTime } from "../plugins/sdk/testing/time.ts";
import {
  certificateRequest,
  P384,
  P521,
  type RequestOptions,
  rsa,
} from "../test/support/certificate-requests.ts";
import { certificatesIn } from "./authority/pem.ts";
import { newRoot } from "./authority/signer.ts";
import { loadX509 } from "./authority/x509-library.ts";
import { Identity } from "./identity.ts";
import type { Peer } from "./peer.ts";
import { MemoryStore } from "./state/memory-store.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const HOUR_MS = 3_600_000;

describe("the identity service", () => {
  const running: Identity[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((identity) => identity.close()));
  });

  function world() {
    const time = createVirtualTime();
    const logger = createCollectingLogger();
    const store = new MemoryStore();
    const start = async (more: Partial<Parameters<typeof Identity.start>[0]> = {}): Promise<Identity> => {
      const identity = await Identity.start({
        trustDomain: "cluster.local",
        lifetimeMs: HOUR_MS,
        store,
        clock: time.clock,
        scheduler: time.scheduler,
        logger,
        ...more,
      });
      running.push(identity);
      return identity;
    };
    /** Lets a second pass, so that the service looks after its rotation, and waits for its writes. */
    const tick = async (durationMs = 1_000): Promise<void> => {
      time.advance(durationMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return { time, logger, store, start, tick };
  }

  const refusedWith = (code: string) => (error: unknown) => isPurserError(error) && error.code === code;

  const tokenFor = async (identity: Identity, serviceAccount = "shop/cart"): Promise<string> =>
    (await identity.operations.createToken({ serviceAccount })).token;

  async function join(identity: Identity, joinToken: string, options: RequestOptions = {}) {
    const { pem } = await certificateRequest(options);
    return identity.issuance.issue({ certificateRequest: pem, joinToken }, undefined, "10.0.0.1");
  }

  function peerOf(identity: Identity, chain: string): Peer {
    const peer = identity.issuance.peerOf(new X509Certificate(chain));
    if (typeof peer === "string") assert.fail(peer);
    return peer;
  }

  async function renew(identity: Identity, peer: Peer, options: RequestOptions = {}) {
    const { pem } = await certificateRequest(options);
    return identity.issuance.issue({ certificateRequest: pem }, peer, "10.0.0.1");
  }

  it("certifies the identity of a join token, whatever names the request has", async () => {
    const { start } = world();
    const identity = await start();
    const issued = await join(identity, await tokenFor(identity), {
      subject: "CN=admin",
      uris: [CART],
      dnsNames: ["admin.example"],
    });
    assert.equal(issued.spiffeId, CART);
    const certificate = new X509Certificate(issued.certificateChain);
    assert.equal(certificate.subjectAltName, `URI:${CART}`);
    assert.equal(certificate.subject, undefined);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(new X509Certificate(issued.trust.trustBundle).publicKey));
    assert.equal(issued.notAfterMs - issued.issuedAtMs, HOUR_MS);
    // Clocks of proxies may be a minute behind.
    assert.equal(Date.parse(certificate.validFrom), issued.issuedAtMs - 60_000);
  });

  it("gives certificates different serial numbers of 128 random bits", async () => {
    const { start } = world();
    const identity = await start();
    const token = await tokenFor(identity);
    const { pem } = await certificateRequest();
    const serials = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const request = { certificateRequest: pem, joinToken: token };
      const { certificateChain } = await identity.issuance.issue(request, undefined, "10.0.0.1");
      serials.add(new X509Certificate(certificateChain).serialNumber);
    }
    assert.equal(serials.size, 20);
    for (const serial of serials) assert.match(serial, /^01[0-9A-F]{32}$/);
  });

  it("takes a token for one key alone, for the same one again, and not after its time", async () => {
    const { time, start } = world();
    const identity = await start();
    const token = await tokenFor(identity);
    const { pem } = await certificateRequest();
    const first = { certificateRequest: pem, joinToken: token };
    await identity.issuance.issue(first, undefined, "10.0.0.1");
    await identity.issuance.issue(first, undefined, "10.0.0.1");
    await assert.rejects(join(identity, token), refusedWith("PURSER_IDENTITY_TOKEN"));
    const late = await tokenFor(identity);
    time.advance(HOUR_MS);
    await assert.rejects(join(identity, late), refusedWith("PURSER_IDENTITY_TOKEN"));
  });

  it("takes a token once when two keys use it at one time", async () => {
    const { start } = world();
    const identity = await start();
    const token = await tokenFor(identity);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => join(identity, token)));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("knows after a restart which tokens are open and which are used", async () => {
    const { start } = world();
    const before = await start();
    const [used, open] = [await tokenFor(before), await tokenFor(before)];
    await join(before, used);
    await before.close();
    const after = await start();
    await assert.rejects(join(after, used), refusedWith("PURSER_IDENTITY_TOKEN"));
    assert.equal((await join(after, open)).spiffeId, CART);
  });

  it("keeps no token's secret", async () => {
    const { start, store, logger } = world();
    const identity = await start();
    const token = await tokenFor(identity);
    const kept = JSON.stringify([await store.load(), logger.lines]);
    assert.ok(!kept.includes(token.split(".")[1] ?? "?"));
  });

  const badRequests: readonly (readonly [string, RequestOptions | string])[] = [
    ["is signed by another key", { isForged: true }],
    ["names another workload", { uris: ["spiffe://cluster.local/ns/shop/sa/admin"] }],
    ["names its own workload and another", { uris: [CART, "spiffe://cluster.local/ns/shop/sa/admin"] }],
    ["names the trust domain", { uris: ["spiffe://cluster.local"] }],
    ["has an RSA key of 1,024 bits", { algorithm: rsa(1_024) }],
    ["has a key on P-521", { algorithm: P521 }],
    ["is empty", ""],
    ["is text", "request"],
    ["is cut off", "-----BEGIN CERTIFICATE REQUEST-----\nMIHl\n-----END CERTIFICATE REQUEST-----"],
    [
      "is huge",
      `-----BEGIN CERTIFICATE REQUEST-----\n${"A".repeat(10_000)}\n-----END CERTIFICATE REQUEST-----`,
    ],
    [
      "nests thousands of sequences",
      `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from("3080".repeat(2_500), "hex").toString("base64")}\n-----END CERTIFICATE REQUEST-----`,
    ],
  ];
  for (const [what, options] of badRequests)
    it(`refuses a request that ${what}, and leaves the token usable`, async () => {
      const { start } = world();
      const identity = await start();
      const joinToken = await tokenFor(identity);
      const pem = typeof options === "string" ? options : (await certificateRequest(options)).pem;
      await assert.rejects(
        identity.issuance.issue({ certificateRequest: pem, joinToken }, undefined, "10.0.0.1"),
        refusedWith("PURSER_IDENTITY_REQUEST"),
      );
      assert.equal((await join(identity, joinToken)).spiffeId, CART);
    });

  for (const [what, algorithm] of [
    ["ECDSA on P-384", P384],
    ["RSA of 2,048 bits", rsa(2_048)],
  ] as const)
    it(`certifies a key of ${what}`, async () => {
      const { start } = world();
      const identity = await start();
      assert.equal((await join(identity, await tokenFor(identity), { algorithm })).spiffeId, CART);
    });

  it("refuses tokens of other forms, and requests without a token or a certificate", async () => {
    const { start } = world();
    const identity = await start();
    const token = await tokenFor(identity);
    for (const text of ["", "x", token.slice(0, -1), token.replace(/\.[^.]+\./, `.${"A".repeat(43)}.`)])
      await assert.rejects(join(identity, text), refusedWith("PURSER_IDENTITY_TOKEN"), text);
    const { pem } = await certificateRequest();
    await assert.rejects(
      identity.issuance.issue({ certificateRequest: pem }, undefined, "10.0.0.1"),
      refusedWith("PURSER_IDENTITY_UNAUTHENTICATED"),
    );
  });

  it("makes no token of a malformed account, of its own, or beyond its maximum time", async () => {
    const { start } = world();
    const identity = await start();
    for (const serviceAccount of ["cart", "Shop/cart", "shop/../x", "purser-system/identity"])
      await assert.rejects(
        identity.operations.createToken({ serviceAccount }),
        refusedWith("PURSER_REQUEST_INVALID"),
        serviceAccount,
      );
  });

  it("renews the identity that a certificate shows, and no other", async () => {
    const { start, time } = world();
    const identity = await start();
    const first = await join(identity, await tokenFor(identity));
    const peer = peerOf(identity, first.certificateChain);
    time.advance(HOUR_MS / 2);
    const second = await renew(identity, peer);
    assert.equal(second.spiffeId, CART);
    assert.equal(second.notAfterMs, first.notAfterMs + HOUR_MS / 2);
    await assert.rejects(
      renew(identity, peer, { uris: ["spiffe://cluster.local/ns/shop/sa/admin"] }),
      refusedWith("PURSER_IDENTITY_REQUEST"),
    );
    time.advance(HOUR_MS / 2 + 1_000);
    await assert.rejects(renew(identity, peer), refusedWith("PURSER_IDENTITY_UNAUTHENTICATED"));
  });

  it("revokes a workload: its renewals, its tokens and its joins, over a restart", async () => {
    const { start } = world();
    const before = await start();
    const open = await tokenFor(before);
    const issued = await join(before, await tokenFor(before));
    const peer = peerOf(before, issued.certificateChain);
    const seen: string[][] = [];
    before.watchTrust(({ revokedIds }) => seen.push([...revokedIds]));
    const change = await before.operations.revoke({ spiffeId: CART, reason: "stolen" });
    assert.deepEqual(change, { spiffeId: CART, changed: true, certificates: 1 });
    assert.deepEqual(seen, [[], [CART]]);
    assert.deepEqual(before.trust.revokedSerials, [peer.serial]);
    await before.close();
    const after = await start();
    await assert.rejects(renew(after, peer), refusedWith("PURSER_IDENTITY_REVOKED"));
    await assert.rejects(join(after, open), refusedWith("PURSER_IDENTITY_TOKEN"));
    await assert.rejects(tokenFor(after), refusedWith("PURSER_IDENTITY_REVOKED"));
    assert.equal(
      (await join(after, await tokenFor(after, "shop/reviews"))).spiffeId.endsWith("reviews"),
      true,
    );
  });

  it("restores a workload, whose earlier certificates stay refused until they end", async () => {
    const { start, time, tick } = world();
    const identity = await start();
    const stolen = peerOf(identity, (await join(identity, await tokenFor(identity))).certificateChain);
    await identity.operations.revoke({ spiffeId: CART, reason: "stolen" });
    assert.equal((await identity.operations.restore({ spiffeId: CART, reason: "found" })).changed, true);
    assert.equal((await identity.operations.restore({ spiffeId: CART, reason: "found" })).changed, false);
    await assert.rejects(renew(identity, stolen), refusedWith("PURSER_IDENTITY_REVOKED"));
    const fresh = peerOf(identity, (await join(identity, await tokenFor(identity))).certificateChain);
    assert.equal((await renew(identity, fresh)).spiffeId, CART);
    assert.deepEqual(identity.trust.revokedIds, []);
    assert.deepEqual(identity.trust.revokedSerials, [stolen.serial]);
    time.advance(HOUR_MS);
    await tick(2_000);
    assert.deepEqual(identity.trust.revokedSerials, []);
  });

  it("refuses to revoke what is no identity of this mesh", async () => {
    const { start } = world();
    const identity = await start();
    for (const spiffeId of [
      "cart",
      "spiffe://other/ns/shop/sa/cart",
      "spiffe://cluster.local",
      "spiffe://cluster.local/x",
      `${CART}/`,
    ])
      await assert.rejects(
        identity.operations.revoke({ spiffeId, reason: "x" }),
        refusedWith("PURSER_REQUEST_INVALID"),
        spiffeId,
      );
  });

  it("limits the requests of one source, and not those of others", async () => {
    const { start, time } = world();
    const identity = await start();
    const ask = (source: string) =>
      identity.issuance.issue({ certificateRequest: "x", joinToken: "x" }, undefined, source);
    for (let round = 0; round < 100; round++)
      await assert.rejects(ask("10.0.0.1"), refusedWith("PURSER_IDENTITY_TOKEN"));
    await assert.rejects(ask("10.0.0.1"), refusedWith("PURSER_OVERLOADED"));
    await assert.rejects(ask("10.0.0.2"), refusedWith("PURSER_IDENTITY_TOKEN"));
    time.advance(50);
    await assert.rejects(ask("10.0.0.1"), refusedWith("PURSER_IDENTITY_TOKEN"));
    await assert.rejects(ask("10.0.0.1"), refusedWith("PURSER_OVERLOADED"));
  });

  it("issues nothing that outlives its own certificate", async () => {
    const { start, time } = world();
    const lifetimeMs = 7 * 86_400_000;
    const identity = await start({ lifetimeMs });
    time.setWallClock(identity.authorityNotAfterMs - 10_000);
    const issued = await join(identity, await tokenFor(identity));
    assert.equal(issued.notAfterMs, identity.authorityNotAfterMs);
    time.setWallClock(identity.authorityNotAfterMs);
    await assert.rejects(
      identity.operations
        .createToken({ serviceAccount: "shop/cart" })
        .then(({ token }) => join(identity, token)),
      refusedWith("PURSER_IDENTITY_SIGNER"),
    );
  });

  describe("while its root is rotated", () => {
    const states = (identity: Identity) => identity.operations.status().signers.map(({ state }) => state);

    it("waits for proxies to trust the new root, then for their new certificates", async () => {
      const { start, tick } = world();
      const identity = await start();
      const first = await join(identity, await tokenFor(identity));
      const peer = peerOf(identity, first.certificateChain);
      identity.acknowledge(peer, identity.trust.bundleVersion);
      await identity.operations.rotateRoot();
      assert.equal(certificatesIn(identity.trust.trustBundle).length, 2);
      await tick(60_000);
      assert.deepEqual(states(identity), ["signing", "announced"]);
      await assert.rejects(identity.operations.rotateRoot(), refusedWith("PURSER_IDENTITY_ROTATION"));
      // Certificates are of the old root until every proxy trusts the new one.
      const oldRoot = new X509Certificate(first.trust.trustBundle).publicKey;
      const between = await join(identity, await tokenFor(identity, "shop/reviews"));
      assert.ok(new X509Certificate(between.certificateChain).verify(oldRoot));
      identity.acknowledge(peer, identity.trust.bundleVersion);
      await tick();
      assert.deepEqual(states(identity), ["retiring", "signing"]);
      const second = await renew(identity, peer);
      assert.ok(!new X509Certificate(second.certificateChain).verify(oldRoot));
      await tick(60_000);
      assert.deepEqual(states(identity), ["retiring", "signing"]);
      // The new certificates are in use: now nobody needs the old root.
      const reviews = peerOf(identity, between.certificateChain);
      for (const chain of [second.certificateChain, (await renew(identity, reviews)).certificateChain])
        identity.acknowledge(peerOf(identity, chain), identity.trust.bundleVersion);
      await tick();
      assert.deepEqual(states(identity), ["signing"]);
      assert.equal(certificatesIn(identity.trust.trustBundle).length, 1);
      assert.notEqual(identity.trust.trustBundle, first.trust.trustBundle);
    });

    it("does not wait for longer than the lifetime of a certificate", async () => {
      const { start, tick } = world();
      const identity = await start();
      await join(identity, await tokenFor(identity));
      await identity.operations.rotateRoot();
      await tick(HOUR_MS - 2_000);
      assert.deepEqual(states(identity), ["signing", "announced"]);
      await tick(4_000);
      for (let step = 0; step < 2; step++) await tick();
      assert.deepEqual(states(identity), ["signing"]);
    });

    it("goes on after a restart at each step, with the same keys", async () => {
      const { start, tick } = world();
      let identity = await start();
      const issued = await join(identity, await tokenFor(identity));
      const peer = peerOf(identity, issued.certificateChain);
      const restart = async (): Promise<void> => {
        const { trust, signerId } = identity;
        await identity.close();
        identity = await start();
        assert.deepEqual(identity.trust, trust);
        assert.equal(identity.signerId, signerId);
      };
      await identity.operations.rotateRoot();
      await restart();
      await tick(5_000);
      assert.deepEqual(states(identity), ["signing", "announced"]);
      identity.acknowledge(peer, identity.trust.bundleVersion);
      await tick();
      assert.deepEqual(states(identity), ["retiring", "signing"]);
      await restart();
      await tick(5_000);
      assert.deepEqual(states(identity), ["retiring", "signing"]);
      const renewed = await renew(identity, peer);
      await restart();
      identity.acknowledge(peerOf(identity, renewed.certificateChain), identity.trust.bundleVersion);
      await tick();
      assert.deepEqual(states(identity), ["signing"]);
      await restart();
      assert.deepEqual(states(identity), ["signing"]);
    });

    it("assumes that unknown certificates are in use when its journal is lost", async () => {
      const { start, tick, store } = world();
      const before = await start();
      await join(before, await tokenFor(before));
      await before.close();
      store.loadJournal = () => Promise.resolve(undefined);
      const after = await start();
      await after.operations.rotateRoot();
      await tick(HOUR_MS - 5_000);
      assert.deepEqual(states(after), ["signing", "announced"]);
      await tick(10_000);
      for (let step = 0; step < 2; step++) await tick();
      assert.deepEqual(states(after), ["signing"]);
    });

    it("takes a step only when it is saved", async () => {
      const { start, tick, store, logger } = world();
      const identity = await start();
      await identity.operations.rotateRoot();
      const save = store.save.bind(store);
      store.save = () => Promise.reject(new Error("no space left on device"));
      const bundle = identity.trust.trustBundle;
      await tick();
      assert.deepEqual(states(identity), ["signing", "announced"]);
      assert.equal(identity.trust.trustBundle, bundle);
      assert.ok(logger.lines.some(({ level }) => level === "error"));
      store.save = save;
      await tick();
      await tick();
      assert.deepEqual(states(identity), ["signing"]);
    });
  });

  it("signs with the certificate and key of the operator's files, and takes new ones by a rotation", async () => {
    const { start, time, tick } = world();
    const x509 = await loadX509();
    let files = await newRoot(x509, "cluster.local", time.clock.nowMs());
    const identity = await start({ readSigner: () => Promise.resolve(files) });
    assert.equal(identity.trust.trustBundle, files.root);
    await assert.rejects(identity.operations.rotateRoot(), refusedWith("PURSER_IDENTITY_ROTATION"));
    files = await newRoot(x509, "cluster.local", time.clock.nowMs());
    await identity.operations.rotateRoot();
    await tick();
    await tick();
    assert.equal(identity.trust.trustBundle, files.root);
  });

  it("refuses files that do not belong together", async () => {
    const { start, time } = world();
    const x509 = await loadX509();
    const [one, two] = [
      await newRoot(x509, "cluster.local", time.clock.nowMs()),
      await newRoot(x509, "cluster.local", time.clock.nowMs()),
    ];
    const cases = [
      { ...one, privateKey: two.privateKey },
      { ...one, root: two.root },
      { ...one, certificate: "" },
      { ...one, root: one.root + two.root },
      { ...one, privateKey: "" },
      { ...one, certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
    ];
    for (const [index, files] of cases.entries())
      await assert.rejects(
        start({ store: new MemoryStore(), readSigner: () => Promise.resolve(files) }),
        refusedWith("PURSER_IDENTITY_SIGNER"),
        `${index}`,
      );
  });

  it("refuses the state of another trust domain, and a name that is none", async () => {
    const { start } = world();
    await start();
    await assert.rejects(start({ trustDomain: "other" }), refusedWith("PURSER_IDENTITY_STATE"));
    await assert.rejects(start({ trustDomain: "Cluster" }), refusedWith("PURSER_CLI_USAGE"));
  });
});
