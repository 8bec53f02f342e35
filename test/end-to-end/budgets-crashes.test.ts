// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { budgetRemaining, ModelApi, type Play } from "../support/model-api.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

const LIMIT = 150_000;
const RESERVED = 100;
const STREAMS = 200;
/** The most that a proxy holds ahead of need: a twentieth of the limit. */
const LEASED = LIMIT / 20;
/** Times after which a client leaves: before, while or after its request is decided and forwarded. */
const BREAKS_MS = [undefined, undefined, 3, 20, 60];

const documents = (url: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: redis }
spec: { adapter: redis-quota, config: { url: "${url}", timeout: 2s } }
---
kind: QuotaPolicy
metadata: { name: tokens }
spec:
  key: { team: request.headers."x-team" }
  limit: ${LIMIT}
  window: 24h
  algorithm: fixed-window
  reserve: ${RESERVED}
  charge: 'response.body.usage.total_tokens * (response.body.model = "large" ? 2 : 1)'
  lease: 200ms
  store: redis
  onStoreFailure: deny
`;

describe("a budget of tokens in Redis, under 200 streams, while proxies and mixers are killed", function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let mesh: SplitMesh;
  const api = new ModelApi(RESERVED);

  before(async function () {
    redis = await startRedis(this);
    mesh = await startSplitMesh({
      documents: documents(redis.url),
      mixers: 2,
      edges: 2,
      listener: api.answer,
    });
  });
  after(async () => {
    await mesh?.stop();
    await redis?.stop();
  });

  const used = async (): Promise<number> =>
    LIMIT -
    (await budgetRemaining(mesh.mixers[0] as string, {
      policy: "tokens",
      cell: 'tokens{"team":"search"}',
      limit: LIMIT,
    }));

  /** Number of settlements without a usage, of the proxies that run. */
  const absent = async (): Promise<number> => {
    const counts = await Promise.all(mesh.edges.map((_, edge) => mesh.clientCounts(edge)));
    return counts.reduce((sum, { quota_settled_absent: count = 0 }) => sum + count, 0);
  };

  /** Resolves with the status, or with "broken" when the stream or its connection ended early. */
  async function play(kind: Play, edge: string, breaksAfterMs?: number): Promise<number | "broken"> {
    const abort = new AbortController();
    const timer =
      breaksAfterMs === undefined ? undefined : setTimeout(() => abort.abort(), breaksAfterMs).unref();
    try {
      const { statusCode, body } = await request(`${edge}/v1/chat/completions`, {
        method: "POST",
        headers: { host: "shop", "x-team": "search", "x-play": kind },
        body: "{}",
        signal: abort.signal,
      });
      if (statusCode === 200 && kind === "hang") {
        for await (const _ of body) break;
        return "broken";
      }
      for await (const _ of body);
      return statusCode;
    } catch {
      return "broken";
    } finally {
      clearTimeout(timer);
    }
  }

  /** Number of answers that arrived whole, of all plays so far. */
  let completed = 0;

  const anyOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;

  /** Clients that play until `isOver`; counts their results. */
  async function playAll(
    isOver: () => boolean,
    one: () => Promise<number | "broken">,
  ): Promise<Map<number | "broken", number>> {
    const results = new Map<number | "broken", number>();
    const client = async (): Promise<void> => {
      while (!isOver()) {
        const result = await one();
        results.set(result, (results.get(result) ?? 0) + 1);
        if (result === 200) completed++;
        assert.ok(api.spent + api.spentInVain <= LIMIT, "more is spent than the budget");
        // A client that is refused tries again soon.
        if (result !== 200) await sleep(Math.random() * 40);
      }
    };
    await Promise.all(Array.from({ length: STREAMS }, client));
    return results;
  }

  const settled = async (): Promise<number> => {
    await eventually(async () => assert.equal(api.inFlight, 0), { deadlineMs: 10_000 });
    // Leases end, and settlements arrive.
    let last = -1;
    await eventually(
      async () => {
        const now = await used();
        const before = last;
        last = now;
        assert.equal(now, before);
      },
      { deadlineMs: 10_000, everyMs: 400 },
    );
    return last;
  };

  it("is never exceeded, is charged at least what the provider counts, and is exact again afterwards", async () => {
    let over = false;
    const chaos = async (): Promise<number> => {
      let lost = 0;
      const kill = async (part: "Edge" | "Mixer", index: number): Promise<void> => {
        // A stream that was under way may have no settlement, and no answer of a mixer; an amount that was held is lost.
        lost += RESERVED * STREAMS + LEASED;
        await mesh[`kill${part}`](index);
        await sleep(100);
        await mesh[`start${part}`](index);
        await sleep(300);
      };
      await sleep(300);
      await kill("Edge", 0);
      await kill("Mixer", 1);
      await kill("Edge", 1);
      over = true;
      return lost;
    };
    // A slow machine plays on after the last kill until it has seen enough: the time limit of the test is the bound.
    const [lost, results] = await Promise.all([
      chaos(),
      playAll(
        () => over && completed > 100 && api.largestInFlight > STREAMS / 20,
        () => play(anyOf(["small", "large", "small", "fail"] as const), anyOf(mesh.edges), anyOf(BREAKS_MS)),
      ),
    ]);
    const told = `${JSON.stringify([...results])} ${api.largestInFlight} at once`;
    assert.ok((results.get("broken") ?? 0) > 0, told);
    const charged = await settled();
    const { spent, spentInVain, broken } = api;
    console.info(
      `      ${told}: ${spent} tokens, ${spentInVain} of ${broken} broken answers, ${charged} charged`,
    );
    assert.ok(spent + spentInVain <= charged, "every token is charged");
    assert.ok(charged <= LIMIT);
    assert.ok(charged <= spent + RESERVED * broken + lost, "no more is lost than what crashes can lose");

    // Without crashes the ledger is the provider's own count, and a reservation for each stream without a usage, whenever
    // clients leave.
    const absentBefore = await absent();
    let left = 600;
    const endings = await playAll(
      () => left-- <= 0,
      () => play(anyOf(["small", "large", "fail", "hang"] as const), anyOf(mesh.edges), anyOf(BREAKS_MS)),
    );
    await eventually(
      async () => {
        const ledger = api.spent - spent + RESERVED * ((await absent()) - absentBefore);
        assert.equal((await used()) - charged, ledger, JSON.stringify([...endings]));
      },
      { deadlineMs: 10_000 },
    );
    assert.ok((await absent()) - absentBefore >= api.broken - broken, "a broken answer has no usage");

    // Amounts that crashes have lost stay lost, and all of the rest can be used.
    let refused = 0;
    await playAll(
      () => refused > STREAMS,
      async () => {
        const result = await play("hang", anyOf(mesh.edges));
        if (result === 429) refused++;
        return result;
      },
    );
    await eventually(
      async () => {
        while ((await play("small", anyOf(mesh.edges))) === 200);
        assert.ok(LIMIT - (await used()) < RESERVED, `${LIMIT - (await used())} left`);
      },
      { deadlineMs: 30_000 },
    );
    assert.ok((await settled()) <= LIMIT);
  });
});
