// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { encodeCalls } from "../../../adapters/redis-quota/encoding.ts";
import { createMemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import type { QuotaGrant, QuotaRequest } from "../../../core/quota/quota.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import { uniqueName } from "../quota-store-suite.ts";
import { runScriptAt, TEST_SLACK_MS } from "../timed-quota-script.ts";

/** One call of `QuotaStore.allocate`. */
export interface ModelCall {
  readonly requests: readonly QuotaRequest[];
  readonly deduplicationId: string;
}

/** A store whose clock the test sets. */
export interface ModelSubject {
  /** Decides calls one after the other at that time of the store's clock. */
  decide(nowMs: number, calls: readonly ModelCall[]): MaybePromise<readonly (readonly QuotaGrant[])[]>;
  /** Checks that all that the store has kept will end, and removes it. */
  end(): MaybePromise<void>;
}

/** A memory store; other counts come and go beside the schedule's. */
export function memorySubject(startMs: number): ModelSubject {
  let storeMs = startMs;
  let others = 0;
  const store = createMemoryQuotaStore({
    clock: { nowMs: () => storeMs, monotonicMs: () => storeMs - startMs },
  });
  const other = {
    algorithm: "fixed-window",
    limit: 1,
    windowMs: 1,
    amount: 1,
    bestEffort: false,
    leaseMs: 0,
  } as const;
  return {
    decide: (nowMs, calls) => {
      storeMs = nowMs;
      // Each new count sweeps idle ones away.
      store.allocate([{ ...other, cell: `other-${++others}` }], { deduplicationId: "" });
      return calls.map(({ requests, deduplicationId }) => store.allocate(requests, { deduplicationId }));
    },
    end: () => undefined,
  };
}

/** The script of redis-quota on a real server, with keys of its own and a clock that the schedule sets. */
export function redisSubject(client: Redis): ModelSubject {
  const prefix = `${uniqueName("m")}{quota}:`;
  /** The time for which each key that may be there is needed. */
  const keys = new Map<string, number>();
  return {
    async decide(nowMs, calls) {
      const answers = await runScriptAt(client, nowMs, calls, prefix);
      for (const [index, call] of calls.entries()) {
        const grants = answers[index] as readonly QuotaGrant[];
        const named = encodeCalls([call], prefix).keys;
        for (const key of named) if (!keys.has(key)) keys.set(key, 0);
        for (const [at, key] of named.slice(named.length - grants.length).entries())
          keys.set(key, (grants[at] as QuotaGrant).resetMs);
      }
      return answers as readonly (readonly QuotaGrant[])[];
    },
    async end() {
      const names = [...keys.keys()];
      if (names.length === 0) return;
      const pipeline = client.pipeline();
      for (const name of names) pipeline.pttl(name);
      pipeline.unlink(...names);
      const replies = (await pipeline.exec()) ?? [];
      for (const [index, name] of names.entries()) {
        const ttlMs = Number(replies[index]?.[1]);
        assert.ok(ttlMs === -2 || ttlMs > 0, `${name} has a TTL of ${ttlMs}`);
        // A count in use must not expire; a minute for the test's own time.
        const neededMs = keys.get(name) as number;
        if (neededMs > 0)
          assert.ok(ttlMs >= neededMs + TEST_SLACK_MS - 60_000, `${name} expires after ${ttlMs}`);
      }
    },
  };
}
