// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { freePort } from "../../bench/machine/free-port.ts";
import type { AdapterHandler, QuotaGrant } from "../../plugins/sdk/index.ts";
import {
  createMemoryFiles,
  createRealTime,
  createTestContext,
  type MemoryFiles,
  quotaRequest,
} from "../../plugins/sdk/testing/index.ts";
import { type Authority, type Certificate, createAuthority } from "../../test/support/certificates.ts";
import { eventually } from "../../test/support/eventually.ts";
import { uniqueName } from "../../test/support/quota-store-suite.ts";
import { startRedisCluster } from "../../test/support/redis-cluster.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { startSentinels } from "../../test/support/redis-sentinels.ts";
import { tlsArguments } from "../../test/support/redis-tls.ts";
import { documentedRules } from "./documented-rules.test.ts";
import { redisQuota } from "./index.ts";
import { createShards, shardOf } from "./shards.ts";

const handlers: AdapterHandler[] = [];

function build(config: Readonly<Record<string, unknown>>, files: MemoryFiles = createMemoryFiles()) {
  const context = createTestContext(
    redisQuota,
    { timeout: "500ms", ...config },
    { time: createRealTime(), files },
  );
  const handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
  handlers.push(handler);
  const ask = async (
    cell = `${uniqueName("cell")}{"user":"ada"}`,
    deduplicationId = uniqueName("call"),
  ): Promise<readonly QuotaGrant[]> =>
    await (handler.quota as NonNullable<typeof handler.quota>)([quotaRequest({ cell })], { deduplicationId });
  /** Lists and resets a count, then blocks and unblocks it. */
  const operate = async (): Promise<void> => {
    const { quotaView: view } = handler;
    assert.ok(view?.shared !== undefined);
    const { algorithm, windowMs } = quotaRequest();
    const policy = uniqueName("operated");
    const cell = `${policy}{"user":"ada"}`;
    await ask(cell);
    const { counts } = await view.list({ policy, algorithm, windowMs, limit: 1_000 });
    assert.deepEqual(counts, [{ cell }]);
    assert.equal(await view.reset({ cell, algorithm, windowMs }), "reset");
    const block = { kind: "block", cell, limit: 0, leftMs: 60_000, by: "", reason: "", madeAtMs: 1 } as const;
    await view.shared.put(block);
    assert.equal((await view.shared.all()).length, 1);
    assert.equal(await view.shared.remove("block", cell), true);
  };
  return { context, handler, ask, operate };
}

afterEach(async () => {
  for (const handler of handlers.splice(0)) await handler.close();
});

describe("the adapter redis-quota with TLS", () => {
  let authority: Authority;
  let other: Authority;
  let client: Certificate;
  let server: RedisServer;
  let tlsPort: number;

  before(async function () {
    authority = createAuthority(this);
    other = createAuthority(this);
    client = authority.sign("client");
    tlsPort = await freePort();
    server = await startRedis(this, tlsArguments(authority, authority.sign("server"), tlsPort));
  });

  after(async () => {
    await server?.stop();
    authority?.remove();
    other?.remove();
  });

  const FILES = { caFile: "ca.pem", certFile: "client.pem", keyFile: "client.key" };
  const files = (changes: Readonly<Record<string, string>> = {}) =>
    createMemoryFiles({
      "ca.pem": authority.cert,
      "client.pem": client.cert,
      "client.key": client.key,
      ...changes,
    });

  it("counts when the authority signed both certificates, by fields and by url", async () => {
    for (const address of [{ port: tlsPort, tls: true }, { url: `rediss://127.0.0.1:${tlsPort}` }]) {
      const { ask, handler } = build({ ...address, ...FILES }, files());
      assert.equal((await ask())[0]?.granted, 1);
      assert.equal(await handler.healthy?.(), true);
    }
  });

  it("counts and obeys operators in a cluster", async function () {
    this.timeout(40_000);
    const cluster = await startRedisCluster(this, { authority });
    try {
      const { ask, operate, handler } = build({ cluster: cluster.addresses, tls: true, ...FILES }, files());
      for (let call = 0; call < 50; call++) assert.equal((await ask())[0]?.granted, 1);
      await operate();
      assert.equal(await handler.healthy?.(), true);
      const foreign = build(
        { cluster: cluster.addresses, tls: true, ...FILES },
        files({ "ca.pem": other.cert }),
      );
      await assert.rejects(foreign.ask(), { code: "PURSER_STORE_UNAVAILABLE", message: /certificate/ });
    } finally {
      await cluster.stop();
    }
  });

  it("counts and obeys operators on the primary that Sentinels name", async function () {
    this.timeout(40_000);
    const setup = await startSentinels(this, { authority });
    const servers = { sentinels: setup.sentinels, master: setup.master };
    try {
      const { ask, operate, handler } = build({ ...servers, tls: true, ...FILES }, files());
      assert.equal((await ask())[0]?.granted, 1);
      await operate();
      assert.equal(await handler.healthy?.(), true);
      const foreign = build({ ...servers, tls: true, ...FILES }, files({ "ca.pem": other.cert }));
      await assert.rejects(foreign.ask(), { code: "PURSER_STORE_UNAVAILABLE" });
    } finally {
      await setup.stop();
    }
  });

  it("refuses a server whose certificate caFile does not vouch for", async () => {
    const { ask } = build({ port: tlsPort, tls: true, ...FILES }, files({ "ca.pem": other.cert }));
    await assert.rejects(ask(), { code: "PURSER_STORE_UNAVAILABLE", message: /certificate/ });
  });

  it("refuses a server whose certificate has another name than serverName", async () => {
    const { ask } = build({ port: tlsPort, tls: true, ...FILES, serverName: "redis.example.com" }, files());
    await assert.rejects(ask(), {
      code: "PURSER_STORE_UNAVAILABLE",
      message: /redis\.example\.com|altnames/,
    });
  });

  it("is refused without a client certificate by a server that wants one", async () => {
    const { ask } = build({ port: tlsPort, tls: true, caFile: "ca.pem" }, files());
    await assert.rejects(ask(), { code: "PURSER_STORE_UNAVAILABLE" });
  });

  it("connects once its files can be read, and reads a changed file for the next connection", async () => {
    const late = createMemoryFiles({ "client.pem": client.cert, "client.key": client.key });
    const { ask, context } = build({ port: tlsPort, tls: true, ...FILES }, late);
    late.fail("ca.pem");
    await assert.rejects(ask(), { message: /ca\.pem could not be read/, retryable: true });
    assert.deepEqual(
      context.logger.lines.map(({ message }) => message),
      ["caFile could not be read"],
    );
    late.set("ca.pem", other.cert);
    await assert.rejects(ask(), /certificate/);
    late.set("ca.pem", authority.cert);
    await eventually(async () => assert.equal((await ask())[0]?.granted, 1));
  });

  it("waits for no file after it was closed", async () => {
    const late = createMemoryFiles();
    const { handler, context } = build({ port: tlsPort, tls: true, caFile: "ca.pem" }, late);
    await handler.close();
    assert.equal(late.watching, 0);
    late.set("ca.pem", authority.cert);
    assert.deepEqual(context.logger.lines, []);
  });
});

describe("the adapter redis-quota as a user with the least rights", function () {
  this.timeout(40_000);

  it("counts, obeys operators, is healthy and can warn on one server, and has no more than it needs", async function () {
    const server = await startRedis(this, ["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"]);
    const admin = new Redis(server.port);
    try {
      const rules = documentedRules("one server");
      const rejected = async (without: string | undefined): Promise<boolean> => {
        const user = uniqueName("user");
        await admin.acl("SETUSER", user, "on", ">secret", ...rules.filter((rule) => rule !== without));
        const { ask, operate, handler, context } = build({
          port: server.port,
          username: user,
          password: "secret",
          db: 1,
        });
        await admin.script("FLUSH");
        const counted = await ask().then(
          ([grant]) => grant?.granted === 1,
          () => false,
        );
        const healthy = await handler.healthy?.();
        const operated = await operate().then(
          () => true,
          () => false,
        );
        const warned = await eventually(
          async () => assert.ok(context.logger.lines.some(({ message }) => message.includes("evict counts"))),
          { deadlineMs: 300 },
        ).then(
          () => true,
          () => false,
        );
        const [connection] = String(await admin.client("LIST")).match(new RegExp(`.*user=${user} .*`)) ?? [
          "",
        ];
        await handler.close();
        return !counted || !operated || healthy !== true || !warned || !connection.includes("name=purser");
      };
      assert.equal(await rejected(undefined), false);
      for (const rule of rules) assert.equal(await rejected(rule), true, `${rule} is not needed`);
    } finally {
      admin.disconnect();
      await server.stop();
    }
  });

  it("counts and obeys operators in a cluster, and needs each right that one server does not ask for", async function () {
    const cluster = await startRedisCluster(this);
    try {
      const [shard] = createShards("purser:{quota}:", 16);
      const slot = shard?.slot ?? 0;
      const owner = (await cluster.primaryOf(slot)).port;
      const ids = await cluster.eachPrimary(async (admin) => ({
        port: admin.options.port,
        id: String(await admin.cluster("MYID")),
      }));
      const idOf = (own: boolean) => ids.find(({ port }) => (port === owner) === own) as (typeof ids)[number];
      const [from, to] = [idOf(true), idOf(false)];
      // The slot is on its way to another node, so that its owner answers ASK for keys that it does not have.
      const atNode = async (port: number | undefined, use: (admin: Redis) => Promise<unknown>) => {
        const admin = new Redis(port ?? 0);
        await use(admin);
        admin.disconnect();
      };
      await atNode(to.port, (admin) => admin.cluster("SETSLOT", slot, "IMPORTING", from.id));
      await atNode(from.port, (admin) => admin.cluster("SETSLOT", slot, "MIGRATING", to.id));
      const rules = documentedRules("cluster");
      const isEnough = async (without: string | undefined): Promise<boolean> => {
        const user = uniqueName("user");
        const granted = rules.filter((rule) => rule !== without);
        for (const { port } of cluster.nodes)
          await atNode(port, (admin) => admin.acl("SETUSER", user, "on", ">secret", ...granted));
        const { ask, operate, handler } = build({
          cluster: cluster.addresses.slice(0, 1),
          username: user,
          password: "secret",
        });
        try {
          const cells = Array.from({ length: 100 }, (_, user) => `${uniqueName("cell")}{"user":${user}}`);
          const isMoving = (cell: string) => shardOf(cell, 16) === 0;
          assert.ok(cells.some(isMoving));
          // A run with two keys on a slot that moves is refused (TRYAGAIN), so these calls have no id.
          for (const cell of cells) await ask(cell, isMoving(cell) ? "" : undefined);
          await operate();
          return (await handler.healthy?.()) === true;
        } catch {
          return false;
        } finally {
          await handler.close();
        }
      };
      assert.equal(await isEnough(undefined), true);
      const ofOneServer = documentedRules("one server");
      const more = rules.filter((rule) => !ofOneServer.includes(rule));
      assert.ok(more.length >= 4, more.join(" "));
      for (const rule of more) assert.equal(await isEnough(rule), false, `${rule} is not needed`);
    } finally {
      await cluster.stop();
    }
  });

  it("finds the primary by Sentinels, and needs each right there", async function () {
    const setup = await startSentinels(this);
    const { sentinels, master } = setup;
    try {
      const rules = documentedRules("Sentinel");
      const isEnough = async (without: string | undefined): Promise<boolean> => {
        const user = uniqueName("user");
        for (const { port } of sentinels) {
          const admin = new Redis(port);
          const granted = rules.filter((rule) => rule !== without);
          await admin.acl("SETUSER", user, "on", ">secret", ...granted);
          admin.disconnect();
        }
        const { ask, handler } = build({
          sentinels,
          master,
          sentinelUsername: user,
          sentinelPassword: "secret",
        });
        try {
          return (await ask())[0]?.granted === 1;
        } catch {
          return false;
        } finally {
          await handler.close();
        }
      };
      assert.equal(await isEnough(undefined), true);
      for (const rule of rules) assert.equal(await isEnough(rule), false, `${rule} is not needed`);
    } finally {
      await setup.stop();
    }
  });
});
