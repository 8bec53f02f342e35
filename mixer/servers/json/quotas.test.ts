// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { expectDeclaredAnswers } from "../../../test/support/declared-answers.ts";
import assert from "node:assert/strict";
import { withQuery } from "../../../api/json/quota-operations.ts";
import { type AuditEntry, MAX_ADJUSTMENT_MS, type QuotaListing } from "../../../api/quota-operations.ts";
import { createMemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import type { QuotaAdjustment } from "../../../core/quota/quota-view.ts";
import { createHttpClient } from "../../../plugins/sdk/http/client.ts";
import { type AdapterHandler, type Clock, PurserError, type QuotaView } from "../../../plugins/sdk/index.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
} from "../../../plugins/sdk/testing/index.ts";
import { eventually } from "../../../test/support/eventually.ts";
import {
  adapterDeclaration,
  computed,
  expression,
  quotaPolicy,
  snapshotOf,
} from "../../../test/support/snapshots.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import { createMixer } from "../../mixer.ts";
import { startMixerHttpServer } from "../http-server.ts";

const ends: (() => Promise<void>)[] = [];

type Json = Record<string, unknown>;

async function serve() {
  const time = createRealTime();
  const logger = createCollectingLogger();
  const runtime = { clock: time.clock, scheduler: time.scheduler, random: createSeededRandom(), logger };
  const mixer = createMixer({
    ...runtime,
    files: () => createMemoryFiles(),
    http: () => createHttpClient(time.clock),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
  });
  const server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0 });
  ends.push(async () => {
    await server.close(100);
    await mixer.close(100);
    assert.equal(time.scheduled, 0, "tasks left scheduled");
  });
  const url = `http://127.0.0.1:${server.port}`;
  const call = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Json }> => {
    const init =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(url + path, { method, ...init });
    return { status: response.status, body: (await response.json()) as Json };
  };
  const list = async (query: Parameters<typeof withQuery>[1] = {}): Promise<QuotaListing> => {
    const { status, body } = await call("GET", withQuery("/v1/quotas", query));
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as QuotaListing;
  };
  let lastId = 0;
  /** Charges the quotas for one user. */
  const charge = async (user: string, times = 1): Promise<readonly number[]> => {
    let granted: readonly number[] = [];
    for (let index = 0; index < times; index++) {
      const { quotas } = await mixer.check({
        attributes: { request: { headers: { "x-user": user } } },
        deduplicationId: `id-${++lastId}`,
      });
      granted = quotas.map((outcome) => outcome.granted);
    }
    return granted;
  };
  return { mixer, url, call, list, charge, logger };
}

const perUser = (name: string, fields: Parameters<typeof quotaPolicy>[1] = {}): QuotaPolicy =>
  quotaPolicy(name, {
    key: [["user", computed((bag) => (bag["request"] as { headers: Json }).headers["x-user"])]],
    limit: 5,
    ...fields,
  });

/** Builds a store that several mixers share, with its adjustments in `kept`. */
function sharedStore(kept: Map<string, QuotaAdjustment>) {
  return ({
    clock,
  }: {
    readonly clock: Clock;
  }): Partial<AdapterHandler> & { readonly quotaView: QuotaView } => {
    const store = createMemoryQuotaStore({ clock });
    return {
      quota: (requests, options) => store.allocate(requests, options),
      quotaView: {
        ...store.view,
        shared: {
          all: () => [...kept.values()],
          put: (one) => void kept.set(`${one.kind} ${one.cell}`, one),
          remove: (kind, cell) => kept.delete(`${kind} ${cell}`),
        },
      },
    };
  };
}

describe("the quotas over HTTP", () => {
  expectDeclaredAnswers("mixer");
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it("lists policies with their counts, most used first", async () => {
    const { mixer, list, charge } = await serve();
    const overrides = [{ when: expression(() => false), limit: 9 }];
    await mixer.apply(
      snapshotOf({ quotaPolicies: [perUser("q", { overrides }), perUser("shadowed", { mode: "shadow" })] }),
    );
    await charge("ann");
    await charge("bob", 7);
    const { policies, cursor } = await list();
    assert.equal(cursor, undefined);
    const [first, second] = policies;
    const { counts = [], ...policy } = first ?? {};
    assert.deepEqual(policy, {
      policy: "q",
      algorithm: "fixed-window",
      windowMs: 60_000,
      limit: 5,
      overrides: [9],
      leaseMs: 1_000,
      mode: "enforce",
      store: "built-in memory",
      shared: false,
      adjustments: [],
    });
    assert.deepEqual(
      counts.map(({ key, used, limit, remaining }) => [key, used, limit, remaining]),
      [
        [{ user: "bob" }, 5, 5, 0],
        [{ user: "ann" }, 1, 5, 4],
      ],
    );
    assert.ok((counts[0]?.resetMs ?? 0) > 0);
    assert.equal(second?.mode, "shadow");
  });

  it("pages over policies and counts", async () => {
    const { mixer, list, charge } = await serve();
    await mixer.apply(snapshotOf({ quotaPolicies: [perUser("one"), perUser("two")] }));
    for (let user = 0; user < 7; user++) await charge(`u${user}`);
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await list({ limit: 3, cursor });
      assert.ok(page.policies.reduce((sum, { counts }) => sum + counts.length, 0) <= 3);
      for (const { counts } of page.policies) seen.push(...counts.map(({ cell }) => cell));
      cursor = page.cursor;
      pages++;
    } while (cursor !== undefined);
    assert.equal(new Set(seen).size, 14);
    assert.equal(seen.length, 14);
    assert.ok(pages >= 5);
  });

  it("shows the one count of a key, and of one policy", async () => {
    const { mixer, list, charge } = await serve();
    await mixer.apply(snapshotOf({ quotaPolicies: [perUser("q"), quotaPolicy("all")] }));
    await charge("ann", 2);
    const key = JSON.stringify({ user: "ann" });
    const { policies } = await list({ key });
    assert.deepEqual(
      policies.map(({ policy, counts }) => [policy, counts[0]?.used]),
      [["q", 2]],
    );
    const unused = await list({ policy: "q", key: '{"user":"nobody"}' });
    assert.deepEqual(
      unused.policies[0]?.counts.map(({ used, remaining }) => [used, remaining]),
      [[0, 5]],
    );
  });

  it("resets, raises and blocks one count, and keeps an audit", async () => {
    const { mixer, call, list, charge, logger } = await serve();
    await mixer.apply(snapshotOf({ quotaPolicies: [perUser("q")] }));
    await charge("ann", 5);
    assert.deepEqual(await charge("ann"), [0]);
    const command = { policy: "q", key: { user: "ann" }, reason: "ticket 7" };
    const reset = await call("POST", "/v1/quotas/reset", command);
    const { time, ...entry } = reset.body as unknown as AuditEntry;
    assert.equal(new Date(time).toISOString(), time);
    assert.deepEqual(entry, {
      action: "reset",
      ...command,
      by: "127.0.0.1",
      changed: true,
      keptIn: "mixer",
    });
    assert.equal(
      (await call("POST", "/v1/quotas/reset", { ...command, key: { user: "bob" } })).body["changed"],
      false,
    );
    assert.deepEqual(await charge("ann", 5), [1]);

    await call("POST", "/v1/quotas/raise", { ...command, limit: 8, forMs: 60_000 });
    assert.deepEqual(await charge("ann", 3), [1]);
    assert.deepEqual(await charge("ann"), [0]);
    const raised = (await list()).policies[0];
    assert.deepEqual([raised?.counts[0]?.used, raised?.counts[0]?.limit], [8, 8]);
    assert.equal(raised?.adjustments[0]?.limit, 8);
    await call("POST", "/v1/quotas/block", { ...command, key: { user: "bob" }, forMs: 60_000 });
    assert.deepEqual(await charge("bob"), [0]);
    const bob = await list({ policy: "q", key: '{"user":"bob"}' });
    assert.deepEqual(
      bob.policies[0]?.adjustments.map(({ kind, key, keptIn, by, reason }) => [
        kind,
        key,
        keptIn,
        by,
        reason,
      ]),
      [["block", { user: "bob" }, "mixer", "127.0.0.1", "ticket 7"]],
    );
    assert.equal(bob.policies[0]?.counts[0]?.remaining, 0);
    const end = (kind: string, user: string) =>
      call("DELETE", withQuery(`/v1/quotas/${kind}`, { ...command, key: JSON.stringify({ user }) }));
    assert.equal((await end("block", "bob")).body["changed"], true);
    assert.equal((await end("block", "bob")).body["changed"], false);
    assert.equal((await end("raise", "ann")).body["changed"], true);
    assert.deepEqual(await charge("bob"), [1]);

    const { body } = await call("GET", "/v1/quotas/audit?limit=3");
    const entries = body["entries"] as AuditEntry[];
    assert.deepEqual(
      entries.map(({ action }) => action),
      ["end-raise", "end-block", "end-block"],
    );
    const lines = logger.lines.filter(({ message }) => message === "a quota was changed by an operator");
    assert.deepEqual(
      lines.map(({ fields }) => fields?.["action"]),
      ["reset", "reset", "raise", "block", "end-block", "end-block", "end-raise"],
    );
  });

  it("keeps raises and blocks in a store that mixers share, and takes in those of others", async () => {
    const kept = new Map<string, QuotaAdjustment>();
    const build = sharedStore(kept);
    const handlers = [adapterDeclaration("redis", (context) => ({ close() {}, ...build(context) }))];
    const quotaPolicies = [perUser("q", { store: "redis", limit: 1_000_000 })];
    const [one, two] = [await serve(), await serve()];
    for (const { mixer } of [one, two]) await mixer.apply(snapshotOf({ handlers, quotaPolicies }));
    const command = { policy: "q", key: { user: "ann" }, reason: "abuse" };
    const { body } = await one.call("POST", "/v1/quotas/block", { ...command, forMs: 60_000 });
    assert.equal(body["keptIn"], "store");
    assert.deepEqual(await one.charge("ann"), [0]);
    await eventually(async () => assert.deepEqual(await two.charge("ann"), [0]));
    const [policy] = (await two.list()).policies;
    assert.deepEqual([policy?.shared, policy?.adjustments[0]?.keptIn], [true, "store"]);
    const query = { policy: "q", key: JSON.stringify(command.key), reason: "over" };
    assert.equal((await two.call("DELETE", withQuery("/v1/quotas/block", query))).body["changed"], true);
    assert.deepEqual(await two.charge("ann"), [1]);
    await eventually(async () => assert.deepEqual(await one.charge("ann"), [1]));
    // Documents without the store end the reading of it.
    await one.mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("other")], version: "v2" }));
  });

  it("goes on with the known blocks while the store fails, and says so once", async () => {
    const kept = new Map<string, QuotaAdjustment>();
    let fails = false;
    const unavailable = () => {
      if (fails) throw new PurserError("PURSER_STORE_UNAVAILABLE", "the store is away");
    };
    const { quota, quotaView } = sharedStore(kept)(createRealTime());
    const { shared } = quotaView as Required<QuotaView>;
    const store: Partial<AdapterHandler> = {
      ...(quota === undefined ? {} : { quota }),
      quotaView: {
        list: () => (unavailable(), { counts: [] }),
        reset: () => (unavailable(), "reset"),
        shared: { ...shared, all: () => (unavailable(), [...kept.values()]) },
      },
    };
    const { mixer, call, list, charge, logger } = await serve();
    const handlers = [adapterDeclaration("redis", store)];
    await mixer.apply(
      snapshotOf({ handlers, quotaPolicies: [perUser("q", { store: "redis" }), perUser("r")] }),
    );
    const command = { policy: "q", key: { user: "ann" }, reason: "abuse" };
    await call("POST", "/v1/quotas/block", { ...command, forMs: 60_000 });
    fails = true;
    await eventually(async () => {
      assert.equal(logger.lines.filter(({ message }) => message.includes("cannot be read")).length, 1);
    });
    assert.deepEqual(await charge("ann"), [0, 0]);
    const { policies } = await list();
    assert.equal(policies[0]?.error?.code, "PURSER_STORE_UNAVAILABLE");
    assert.equal(policies[1]?.error, undefined);
    assert.equal((await call("POST", "/v1/quotas/reset", command)).status, 503);
  });

  it("raises and blocks with a store that has no view, and says what it cannot do", async () => {
    const { quota } = sharedStore(new Map())(createRealTime());
    const { mixer, call, list, charge } = await serve();
    const handlers = [adapterDeclaration("foreign", quota === undefined ? {} : { quota })];
    await mixer.apply(snapshotOf({ handlers, quotaPolicies: [perUser("q", { store: "foreign" })] }));
    const command = { policy: "q", key: { user: "ann" }, reason: "abuse" };
    assert.equal((await list()).policies[0]?.error?.code, "PURSER_QUOTA_VIEW_UNSUPPORTED");
    const { status, body } = await call("POST", "/v1/quotas/reset", command);
    assert.deepEqual([status, (body["error"] as Json)["code"]], [501, "PURSER_QUOTA_VIEW_UNSUPPORTED"]);
    const block = await call("POST", "/v1/quotas/block", { ...command, forMs: 60_000 });
    assert.equal(block.body["keptIn"], "mixer");
    assert.deepEqual(await charge("ann"), [0]);
    const one = await list({ policy: "q", key: '{"user":"bob"}' });
    assert.equal(one.policies[0]?.counts[0]?.remaining, 5);
  });

  it("shows the keys that are charged and refused most", async () => {
    const { mixer, call, charge } = await serve();
    await mixer.apply(
      snapshotOf({ quotaPolicies: [perUser("q"), quotaPolicy("unused", { match: undefined, limit: 0 })] }),
    );
    await charge("ann", 2);
    const { body } = await call("GET", "/v1/quotas/top?policy=q");
    assert.ok(Array.isArray(body["policies"]));
    await mixer.apply(snapshotOf({ quotaPolicies: [perUser("q")], version: "v2" }));
    await charge("ann", 2);
    await charge("bob", 7);
    const again = await call("GET", "/v1/quotas/top?limit=1");
    const [policy] = again.body["policies"] as { periods: { charged: Json; refused: Json }[] }[];
    assert.deepEqual(policy?.periods[0]?.charged["entries"], [
      { key: 'q{"user":"bob"}', amount: 5, over: 0 },
    ]);
    assert.equal((policy?.periods[0]?.refused["total"] as number) >= 2, true);
  });

  it("refuses what is wrong, and names it", async () => {
    const { mixer, url, call } = await serve();
    const early = await call("GET", "/v1/quotas");
    assert.equal(early.status, 503);
    await mixer.apply(
      snapshotOf({
        quotaPolicies: [
          perUser("q"),
          quotaPolicy("plain"),
          perUser("bucket", { algorithm: "token-bucket", windowMs: 36_000_000 }),
        ],
      }),
    );
    const command = { policy: "q", key: { user: "ann" }, reason: "x", forMs: 1_000 };
    const cases: readonly (readonly [string, string, unknown, number, RegExp])[] = [
      ["GET", "/v1/quotas?polcy=q", undefined, 400, /no query parameter "polcy"/],
      ["GET", "/v1/quotas?limit=0", undefined, 400, /from 1 to 1000/],
      ["GET", "/v1/quotas?limit=1001", undefined, 400, /from 1 to 1000/],
      ["GET", "/v1/quotas?limit=1&limit=2", undefined, 400, /given twice/],
      ["GET", "/v1/quotas?key=ann", undefined, 400, /must be a JSON object/],
      ["GET", "/v1/quotas?key=[]", undefined, 400, /must be a JSON object/],
      ["GET", "/v1/quotas?cursor=zz", undefined, 400, /cursor/],
      [
        "GET",
        `/v1/quotas?cursor=${Buffer.from('["gone",null]').toString("base64url")}`,
        undefined,
        400,
        /cursor/,
      ],
      ["GET", "/v1/quotas?policy=p", undefined, 404, /no QuotaPolicy p in force/],
      ["GET", "/v1/quotas?policy=buckt", undefined, 404, /did you mean bucket/],
      ["GET", '/v1/quotas?policy=plain&key={"user":"a"}', undefined, 400, /has no key, and no user/],
      ["GET", "/v1/quotas/top?limit=x", undefined, 400, /not a whole number/],
      ["GET", "/v1/quotas/audit?page=1", undefined, 400, /"page"/],
      ["POST", "/v1/quotas/reset", { policy: "q", key: {} }, 400, /reason/],
      ["POST", "/v1/quotas/block", { ...command, forMs: MAX_ADJUSTMENT_MS + 1 }, 400, /forMs/],
      ["POST", "/v1/quotas/block", { ...command, for: "1h" }, 400, /for/],
      ["POST", "/v1/quotas/block", { ...command, key: { usr: "ann" } }, 400, /has the key user, and no usr/],
      [
        "POST",
        "/v1/quotas/block",
        { ...command, key: { user: "a".repeat(1_100) } },
        400,
        /more than 1024 characters/,
      ],
      ["POST", "/v1/quotas/raise", { ...command, limit: 5 }, 400, /must be above it/],
      [
        "POST",
        "/v1/quotas/raise",
        { ...command, policy: "bucket", limit: 1_000_000_000 },
        400,
        /token-bucket/,
      ],
      ["DELETE", "/v1/quotas/raise?policy=q&key={}", undefined, 400, /reason/],
      ["DELETE", "/v1/quotas/raise?policy=q&key={}&reason=x&limit=3", undefined, 400, /"limit"/],
      ["DELETE", "/v1/quotas/raise?reason=x", undefined, 400, /policy/],
    ];
    for (const [method, path, body, status, message] of cases) {
      const answer = await call(method, path, body);
      const error = answer.body["error"] as { message: string } | undefined;
      assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      assert.match(error?.message ?? "", message);
    }
    assert.equal((await call("POST", "/v1/quotas/reset")).status, 400);
    const large = await call("POST", "/v1/quotas/reset", { ...command, reason: "x".repeat(2_000_000) });
    assert.equal(large.status, 413);
    const encoded = await fetch(`${url}/v1/quotas/reset`, {
      method: "POST",
      body: "{}",
      headers: { "content-encoding": "gzip" },
    });
    assert.deepEqual([encoded.status, encoded.headers.get("connection")], [415, "close"]);
    const compressed = await fetch(`${url}/v1/quotas/reset`, {
      method: "POST",
      body: "{}",
      headers: { "content-encoding": "gzip", "content-type": "application/json" },
    });
    assert.deepEqual([compressed.status, compressed.headers.get("connection")], [400, "close"]);
  });

  it("does not reset a count that several keys share", async () => {
    const { mixer, call, charge, list } = await serve();
    const store = createMemoryQuotaStore({ clock: createRealTime().clock, maxCells: 10 });
    const handler = adapterDeclaration("small", {
      quota: (requests, options) => store.allocate(requests, options),
      quotaView: store.view,
    });
    await mixer.apply(snapshotOf({ handlers: [handler], quotaPolicies: [perUser("q", { store: "small" })] }));
    for (let user = 0; user < 9; user++) await charge(`u${user}`);
    const { status, body } = await call("POST", "/v1/quotas/reset", {
      policy: "q",
      key: { user: "u8" },
      reason: "x",
    });
    assert.equal(status, 400);
    assert.match((body["error"] as { message: string }).message, /no count of its own/);
    const shared = (await list()).policies[0]?.counts.find(({ key }) => key === undefined);
    assert.equal(shared?.cell, "q{#0}");
  });
});
