// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { IdentityService } from "../../api/identity-service.ts";
import { Identity } from "../../identity/identity.ts";
import { createLocalIdentityService } from "../../identity/local-service.ts";
import { MemoryStore } from "../../identity/state/memory-store.ts";
import { PurserError } from "../../kernel/errors.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/logger.ts";
import { createSeededRandom } from "../../plugins/sdk/testing/seeded-random.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/time.ts";
import { IdentityAgent } from "../../proxy/identity/identity-agent.ts";
import { newKeyRequest } from "../../proxy/identity/key-request.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const LIFETIME_MS = 30_000;
/** Of virtual time; two hours take half a minute. */
const MINUTES = Number(process.env["IDENTITY_MINUTES"] ?? 20);

/** The identity service and a proxy's agent, on virtual time. Signatures are made by real threads. */
async function world() {
  let pending = 0;
  /** Counts work of other threads, for which virtual time waits. */
  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    pending++;
    try {
      return await work;
    } finally {
      pending--;
    }
  };
  const time = createVirtualTime(undefined, async () => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (pending > 0);
    await new Promise((resolve) => setImmediate(resolve));
  });
  const logger = createCollectingLogger();
  const store = new MemoryStore();
  const { clock, scheduler } = time;
  const startIdentity = () =>
    Identity.start({
      trustDomain: "cluster.local",
      lifetimeMs: LIFETIME_MS,
      store,
      clock,
      scheduler,
      logger,
    });
  let identity = await startIdentity();
  let isAway = false;
  const away = () => new PurserError("PURSER_IDENTITY_UNAVAILABLE", "connection refused");
  const watches = new Set<() => void>();
  const service: IdentityService = {
    issue: (request, shown) =>
      isAway ? Promise.reject(away()) : tracked(createLocalIdentityService(identity).issue(request, shown)),
    watchTrust(known, shown, listener) {
      let stop = isAway ? () => {} : createLocalIdentityService(identity).watchTrust(known, shown, listener);
      const again = (): void => {
        stop();
        try {
          stop = createLocalIdentityService(identity).watchTrust(known, shown, listener);
        } catch {
          // Over HTTP the service refuses the poll of a certificate that has ended.
          stop = () => {};
        }
      };
      watches.add(again);
      return () => {
        watches.delete(again);
        stop();
      };
    },
  };
  let token = (await identity.operations.createToken({ serviceAccount: "shop/cart" })).token;
  let requests = 0;
  const agent = new IdentityAgent({
    service,
    readToken: () => Promise.resolve(token),
    newRequest: () => {
      requests++;
      return tracked(newKeyRequest());
    },
    clock,
    scheduler,
    random: createSeededRandom(),
    logger,
  });
  return {
    time,
    logger,
    agent,
    credential: agent.credential,
    identity: () => identity,
    requests: () => requests,
    setToken: (text: string) => (token = text),
    /** Makes the service unreachable. */
    leave: () => (isAway = true),
    /** Starts the service anew from its state. */
    restart: async (): Promise<void> => {
      await identity.close();
      identity = await startIdentity();
      isAway = false;
      for (const again of watches) again();
    },
    start: async (durationMs = 100): Promise<void> => {
      const started = agent.start(5_000);
      await time.advanceAndSettle(durationMs);
      await started;
    },
    stop: async (): Promise<void> => {
      agent.close();
      await identity.close();
      await time.advanceAndSettle(10_000);
      assert.equal(time.scheduled, 0);
    },
    leftMs: () => (agent.credential.material?.expiresAtMs ?? 0) - clock.nowMs(),
  };
}

describe("a proxy's agent", () => {
  before(async () => void (await newKeyRequest()));

  it(`renews its certificate for ${MINUTES} minutes, always before the last 30 % of its time`, async () => {
    const { time, credential, start, stop, leftMs, identity, requests } = await world();
    await start();
    assert.equal(credential.spiffeId, CART);
    const keys = new Set<string>();
    const certificates = new Set<string>();
    for (let elapsedMs = 0; elapsedMs < MINUTES * 60_000; elapsedMs += 5_000) {
      await time.advanceAndSettle(5_000);
      assert.ok(leftMs() >= LIFETIME_MS * 0.3 - 1_000, `${leftMs()} ms left after ${elapsedMs} ms`);
      const { certificate = "", privateKey = "" } = credential.material ?? {};
      keys.add(privateKey);
      certificates.add(certificate);
    }
    // A renewal after 50 to 70 % of 30 s.
    assert.ok(
      certificates.size > (MINUTES * 60) / 22 && certificates.size <= (MINUTES * 60) / 14,
      `${certificates.size}`,
    );
    assert.equal(keys.size, certificates.size);
    assert.equal(requests(), certificates.size);
    assert.equal(identity().issuance.counts.joins, 1);
    assert.ok(identity().liveCertificates <= 3);
    await stop();
  }).timeout(120_000);

  it("goes on with its certificate while the service is away, and renews it after a restart", async () => {
    const { time, credential, start, stop, leave, restart, logger, leftMs } = await world();
    await start();
    await time.advanceAndSettle(10_000);
    const { material } = credential;
    leave();
    await time.advanceAndSettle(15_000);
    assert.equal(credential.material, material);
    assert.match(credential.fault ?? "", /connection refused/);
    assert.equal(logger.lines.filter(({ message }) => message.includes("could not be renewed")).length, 1);
    await restart();
    await time.advanceAndSettle(2_000);
    assert.notEqual(credential.material, material);
    assert.equal(credential.fault, undefined);
    assert.ok(leftMs() > LIFETIME_MS - 5_000);
    await stop();
  });

  it("joins anew with a new token when the service was away for longer than its certificate", async () => {
    const { time, credential, start, stop, leave, restart, identity, setToken, leftMs } = await world();
    await start();
    leave();
    await time.advanceAndSettle(60_000);
    assert.ok(leftMs() < 0);
    await restart();
    await time.advanceAndSettle(60_000);
    // The first token has served another key.
    assert.match(credential.fault ?? "", /token is refused/);
    setToken((await identity().operations.createToken({ serviceAccount: "shop/cart" })).token);
    await time.advanceAndSettle(31_000);
    assert.equal(credential.fault, undefined);
    assert.ok(leftMs() > 0);
    await stop();
  });

  it("repeats a join whose reply was lost with the same key", async () => {
    const { credential, start, stop, identity, requests } = await world();
    const { issuance } = identity();
    const issue = issuance.issue.bind(issuance);
    let lost = 2;
    issuance.issue = async (...request) => {
      const issued = await issue(...request);
      if (lost-- > 0) throw new PurserError("PURSER_IDENTITY_UNAVAILABLE", "the connection broke");
      return issued;
    };
    await start(5_000);
    assert.equal(credential.spiffeId, CART);
    assert.equal(requests(), 1);
    await stop();
  });

  it("follows a rotation of the root: at each moment its certificate is of a root that it trusts", async () => {
    const { time, credential, start, stop, identity } = await world();
    await start();
    const bundles = new Set<string>();
    const check = (): void => {
      const { certificate = "", authorities = "" } = credential.material ?? {};
      bundles.add(authorities);
      const roots = authorities.split(/(?<=-----END CERTIFICATE-----\n)/).filter((pem) => pem.trim() !== "");
      const leaf = new X509Certificate(certificate);
      assert.ok(roots.some((pem) => leaf.verify(new X509Certificate(pem).publicKey)));
    };
    check();
    credential.watch(check);
    await identity().operations.rotateRoot();
    for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += 1_000) {
      await time.advanceAndSettle(1_000);
      check();
    }
    assert.equal(bundles.size, 3);
    assert.deepEqual(
      identity()
        .operations.status()
        .signers.map(({ state }) => state),
      ["signing"],
    );
    await stop();
  });

  it("learns revocations at once: by identity, and by certificate after a restore", async () => {
    const { credential, start, stop, identity } = await world();
    await start();
    const { operations, issuance } = identity();
    const { token } = await operations.createToken({ serviceAccount: "shop/reviews" });
    const { certificateRequest } = await newKeyRequest();
    const issued = await issuance.issue({ certificateRequest, joinToken: token }, undefined, "10.0.0.9");
    const peer = {
      der: new X509Certificate(issued.certificateChain).raw,
      uris: [issued.spiffeId],
      dnsNames: [],
      subject: "",
      notAfterEpochMs: Infinity,
    };
    let changes = 0;
    credential.watch(() => changes++);
    assert.equal(credential.isRevoked(peer), false);
    await operations.revoke({ spiffeId: issued.spiffeId, reason: "stolen" });
    assert.equal(changes, 1);
    assert.equal(credential.isRevoked(peer), true);
    await operations.restore({ spiffeId: issued.spiffeId, reason: "found" });
    assert.equal(credential.isRevoked(peer), true);
    assert.equal(
      credential.isRevoked({ ...peer, der: new X509Certificate(credential.material?.certificate ?? "").raw }),
      false,
    );
    await stop();
  });

  it("keeps its keys: no request, log line or error has one", async () => {
    const { credential, start, stop, logger, time, leave } = await world();
    await start();
    leave();
    await time.advanceAndSettle(60_000);
    const key = createPrivateKey(credential.material?.privateKey ?? "");
    const secret = key.export({ format: "jwk" }).d ?? "?";
    const pem = (credential.material?.privateKey ?? "").split("\n")[1] ?? "?";
    const lines = JSON.stringify(logger.lines);
    assert.ok(!lines.includes(secret) && !lines.includes(pem));
    await stop();
  });
});
