// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Redis } from "ioredis";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaGrant, QuotaRequest } from "../../core/quota/quota.ts";
import { type CounterKind, counterKindOf } from "../../core/quota/counting/counter-kind.ts";
import { COUNTER_KINDS, selectorOf, WINDOW_KINDS } from "../../test/support/quota-countings.ts";
import { LIMIT_AND_WINDOW } from "../../test/support/quota-log.ts";
import { uniqueName } from "../../test/support/quota-store-suite.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { runScriptAt } from "../../test/support/timed-quota-script.ts";
import { decodeReply, encodeCalls, type ScriptCall } from "./encoding.ts";
import { COUNTING } from "./script.ts";

const RUNS = Number(process.env["QUOTA_MODEL_RUNS"] ?? 150);
const START_MS = 1_767_225_600_123;

interface Step {
  readonly waitMs: number;
  readonly calls: readonly {
    readonly requests: readonly (Pick<QuotaRequest, "cell" | "amount" | "bestEffort" | "leaseMs"> & {
      readonly kind: CounterKind;
      readonly giveBack: number;
      readonly more: number;
    })[];
    readonly repeats: boolean;
  }[];
}

function arbitrarySteps(limit: number, windowMs: number): fc.Arbitrary<readonly Step[]> {
  const upTo = (max: number) => fc.integer({ min: 0, max: Math.max(0, Math.floor(max)) });
  const request = fc.record({
    cell: fc.constantFrom("a", "b"),
    kind: fc.constantFrom(...COUNTER_KINDS),
    amount: fc.oneof(fc.constant(0), fc.constant(1), upTo(limit / 3), upTo(limit + 2)),
    bestEffort: fc.boolean(),
    leaseMs: fc.oneof(fc.constant(0), upTo(windowMs / 10), upTo(windowMs * 2)),
    // Index of the earlier grant to give back from; with fewer grants nothing is given back.
    giveBack: fc.nat(20),
    // Excess over the usual limit: requests with overrides share a count.
    more: fc.constantFrom(0, 0, 1, 40),
  });
  const call = fc.record({ requests: fc.array(request, { maxLength: 3 }), repeats: fc.boolean() });
  const waitMs = fc.oneof(fc.constant(0), upTo(windowMs / 20), upTo(windowMs), upTo(windowMs * 3));
  return fc.array(fc.record({ waitMs, calls: fc.array(call, { minLength: 1, maxLength: 3 }) }), {
    maxLength: 25,
  });
}

/**
 * A grant, and the amount of it that has not been given back. Only the store that issued its slot understands
 * it.
 */
interface Granted {
  readonly request: Omit<QuotaRequest, "slot">;
  left: number;
  readonly slots: Readonly<Record<"memory" | "redis", number>>;
}

/** A call, which the test may repeat. */
interface Call {
  readonly deduplicationId: string;
  readonly sinceMs: number;
  readonly demands: readonly Pick<Granted, "request" | "slots">[];
}

const NO_SLOTS: Granted["slots"] = { memory: -1, redis: -1 };

function withoutSlot(grant: QuotaGrant): QuotaGrant {
  return { ...grant, slot: -1 };
}

describe("the Redis quota script", () => {
  let server: RedisServer;
  let client: Redis;

  before(async function () {
    server = await startRedis(this);
    client = new Redis(server.port, server.host);
  });

  after(async () => {
    client?.disconnect();
    await server?.stop();
  });

  const runAt = (nowMs: number, calls: readonly ScriptCall[], prefix: string) =>
    runScriptAt(client, nowMs, calls, prefix);

  it("returns the same numbers as the memory store", async () => {
    const cases = LIMIT_AND_WINDOW.chain(({ limit, windowMs }) =>
      fc.record({
        limit: fc.constant(limit),
        windowMs: fc.constant(windowMs),
        steps: arbitrarySteps(limit, windowMs),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ limit, windowMs, steps }) => {
        let nowMs = START_MS;
        const memory = createMemoryQuotaStore({
          clock: { nowMs: () => nowMs, monotonicMs: () => nowMs - START_MS },
        });
        const prefix = `${uniqueName("p")}{quota}:`;
        const granted: Granted[] = [];
        let last: Call | undefined;
        for (const step of steps) {
          nowMs += step.waitMs;
          const calls = step.calls.map(({ requests, repeats }) => {
            // A deduplication id is valid for a minute; the stores differ in how much longer.
            if (repeats && last !== undefined && nowMs - last.sinceMs < 60_000)
              return { ...last, first: false };
            const demands = requests.map(({ kind, giveBack, more, ...fields }) => {
              const request = { ...fields, ...selectorOf(kind, windowMs, nowMs) };
              const earlier = granted[granted.length - 1 - giveBack];
              if (earlier === undefined)
                return { request: { ...request, limit: limit + more }, slots: NO_SLOTS };
              const amount = Math.ceil(earlier.left / 2);
              earlier.left -= amount;
              // The caller computes the bounds of periods anew each time that it asks.
              const selector = selectorOf(counterKindOf(earlier.request), windowMs, nowMs);
              const back = { ...earlier.request, ...selector, amount: 0 - amount };
              return { request: back, slots: earlier.slots };
            });
            last = { deduplicationId: uniqueName("id"), sinceMs: nowMs, demands };
            return { ...last, first: true };
          });
          const toStore = (call: Call, store: "redis" | "memory") => ({
            deduplicationId: call.deduplicationId,
            requests: call.demands.map(({ request, slots }) => ({ ...request, slot: slots[store] })),
          });
          const toRedis = calls.map((call) => toStore(call, "redis"));
          const answers = await runAt(nowMs, toRedis, prefix);
          for (const [index, call] of calls.entries()) {
            const { requests, deduplicationId } = toStore(call, "memory");
            const expected = memory.allocate(requests, { deduplicationId });
            const answer = answers[index] as readonly QuotaGrant[];
            assert.deepEqual(answer.map(withoutSlot), expected.map(withoutSlot));
            if (!call.first) continue;
            for (const [at, { granted: left, slot }] of expected.entries()) {
              const { request } = call.demands[at] as Call["demands"][number];
              if (left > 0)
                granted.push({ request, left, slots: { memory: slot, redis: answer[at]?.slot ?? -1 } });
            }
          }
        }
      }),
      { numRuns: RUNS },
    );
  }).timeout(20_000);

  it("frees no capacity early when the server's clock goes back, and recovers", async () => {
    for (const kind of WINDOW_KINDS) {
      const cell = uniqueName("cell");
      const granted = async (nowMs: number) => {
        const selector = selectorOf(kind, 1_000, nowMs);
        const request = { cell, ...selector, limit: 5, amount: 5, bestEffort: false, leaseMs: 0 };
        const [answer] = await runAt(nowMs, [{ requests: [request], deduplicationId: "" }], "p{quota}:");
        assert.ok(Array.isArray(answer));
        return (answer as readonly QuotaGrant[])[0]?.granted;
      };
      const hourAgoMs = START_MS - 3_600_000;
      assert.equal(await granted(START_MS), 5, kind);
      assert.equal(await granted(hourAgoMs), 0, kind);
      assert.equal(await granted(hourAgoMs + 2_100), 5, kind);
    }
  });

  it("counts to 2^53 without losing a unit", async () => {
    for (const kind of COUNTER_KINDS) {
      const limit = Number.MAX_SAFE_INTEGER;
      const request = {
        cell: uniqueName("cell"),
        ...selectorOf(kind, 1, START_MS),
        limit,
        amount: limit - 1,
        bestEffort: false,
        leaseMs: 0,
      };
      const run = async (amount: number) => {
        const calls = [{ requests: [{ ...request, amount }], deduplicationId: uniqueName("id") }];
        return ((await runAt(START_MS, calls, "p{quota}:"))[0] as readonly QuotaGrant[])[0];
      };
      assert.equal((await run(limit - 1))?.remaining, 1, kind);
      assert.equal((await run(2))?.granted, 0, kind);
      assert.equal((await run(1))?.remaining, 0, kind);
      assert.equal((await run(1))?.granted, 0, kind);
    }
  });

  it("decides calls with sound keys although another call's key has a foreign value", async () => {
    const sound = {
      cell: "sound",
      algorithm: "fixed-window",
      limit: 5,
      windowMs: 1_000,
      amount: 1,
      bestEffort: false,
      leaseMs: 0,
    } as const;
    await client.rpush("p{quota}:fixed-window:1000:list", "x");
    await client.set("p{quota}:fixed-window:1000:text", "hello", "EX", 100);
    await client.set("p{quota}:fixed-window:1000:short", "1", "EX", 100);
    const calls = ["list", "text", "sound", "short", "list"].map((cell) => ({
      requests: [
        { ...sound, cell: "sound" },
        { ...sound, cell },
      ],
      deduplicationId: "",
    }));
    const answers = await runAt(START_MS, calls, "p{quota}:");
    assert.deepEqual(
      answers.map((answer) =>
        "error" in answer ? answer.error.split(" ")[0] : answer.map((grant) => grant.remaining),
      ),
      ["WRONGTYPE", "FOREIGN", [4, 3], "FOREIGN", "WRONGTYPE"],
    );
  });

  it("gives a key the same TTL with and without KEEPTTL, and a longer one when its count lasts longer", async () => {
    const without = COUNTING.source.replace("redis.REDIS_VERSION_NUM ~= nil", "false");
    assert.notEqual(without, COUNTING.source);
    for (const kind of COUNTER_KINDS) {
      for (const source of [COUNTING.source, without]) {
        const prefix = `${uniqueName("p")}{quota}:`;
        const selector = selectorOf(kind, 100_000_000, Date.now());
        const request = { cell: "c", ...selector, limit: 9, amount: 1, bestEffort: false };
        for (const leaseMs of [0, 0, 10_000_000]) {
          const calls = [{ requests: [{ ...request, leaseMs }], deduplicationId: "" }];
          const { keys, args } = encodeCalls(calls, prefix);
          const raw = await client.callBuffer("eval", [source, keys.length, ...keys, ...args]);
          const [grants] = decodeReply(raw, calls).answers;
          const { granted, resetMs } = (grants as readonly QuotaGrant[])[0] as QuotaGrant;
          assert.equal(granted, 1);
          const ttlMs = await client.pttl(keys[0] as string);
          const longerMs = ttlMs - resetMs - 1_000;
          const longestMs = kind === "token-bucket" ? selector.windowMs / 8 + 1_000 : 1_000;
          assert.ok(longerMs > -1_000 && longerMs < longestMs, `${kind}: ${ttlMs} ms for ${resetMs} ms`);
        }
      }
    }
  });

  it("goes on from the texts that earlier versions stored", async () => {
    const prefix = `${uniqueName("p")}{quota}:`;
    const windowMs = 3_200;
    const window = Math.floor(START_MS / windowMs);
    const texts = {
      "fixed-window": `${window} 5`,
      "sliding-window": `${Math.floor(START_MS / 100) - 1} 2 ${Math.floor(START_MS / 100)} 3`,
      "token-bucket": `${START_MS} 9 ${5 * windowMs} ${START_MS * 1_000} 0`,
    };
    for (const [kind, text] of Object.entries(texts)) {
      const selector = selectorOf(kind as CounterKind, windowMs, START_MS);
      const request = { cell: "c", ...selector, limit: 9, amount: 2, bestEffort: false, leaseMs: 0 };
      const calls = [{ requests: [request], deduplicationId: "" }];
      await client.set(encodeCalls(calls, prefix).keys[0] as string, text, "PX", 100_000);
      const remaining: number[] = [];
      for (let time = 0; time < 3; time++) {
        const [answer] = await runAt(START_MS, calls, prefix);
        remaining.push((answer as readonly QuotaGrant[])[0]?.remaining ?? -1);
      }
      assert.deepEqual(remaining, [2, 0, 0], kind);
    }
  });

  it("changes a count in place, and refuses texts of that form that it did not write", async () => {
    const prefix = `${uniqueName("p")}{quota}:`;
    const called = async (name: string): Promise<number> =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await client.info("commandstats"))?.[1] ?? 0);
    for (const kind of ["fixed-window", "sliding-window", "token-bucket"] as const) {
      const selector = selectorOf(kind, 100_000_000, START_MS);
      const request = { cell: "c", ...selector, limit: 90, amount: 2, bestEffort: false, leaseMs: 0 };
      const calls = [{ requests: [request], deduplicationId: "" }];
      await runAt(START_MS, calls, prefix);
      const before = { set: await called("set"), setrange: await called("setrange") };
      await runAt(START_MS, calls, prefix);
      const after = { set: await called("set"), setrange: await called("setrange") };
      assert.deepEqual(after, { set: before.set, setrange: before.setrange + 1 }, kind);
      for (const form of [1, 2, 3]) {
        const key = encodeCalls(calls, prefix).keys[0] as string;
        await client.set(key, Buffer.from([form, ...Buffer.alloc(15, 0xff)]), "PX", 100_000);
        const [answer] = await runAt(START_MS, calls, prefix);
        assert.match((answer as { readonly error: string }).error, /^FOREIGN/);
      }
    }
  });

  it("writes nothing when it only reads or refuses", async () => {
    const prefix = `${uniqueName("p")}{quota}:`;
    const request = { cell: "c", limit: 5, bestEffort: false, leaseMs: 0 };
    for (const kind of COUNTER_KINDS) {
      const looks = { ...request, ...selectorOf(kind, 1_000, START_MS), amount: 0 };
      const tooMuch = { ...looks, amount: 6 };
      await runAt(
        START_MS,
        [
          { requests: [looks], deduplicationId: "" },
          { requests: [looks, tooMuch], deduplicationId: "" },
        ],
        prefix,
      );
    }
    assert.deepEqual(await client.keys(`${prefix}*`), []);
  });
});
