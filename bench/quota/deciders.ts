// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { redisQuota } from "../../adapters/redis-quota/index.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaAlgorithm } from "../../core/quota/quota-definition.ts";
import type { QuotaGrant, QuotaRequest } from "../../core/quota/quota.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { createRealTime, createTestContext } from "../../plugins/sdk/testing/index.ts";
import { MEMORY, PEER, REDIS } from "./contenders.ts";

/** A contender, ready to decide. */
export interface Decider {
  /** Charges 1 to a count, from 0 to COUNTS - 1. Resolves with the amount that is left. */
  decide(count: number): MaybePromise<number>;
  close(): MaybePromise<void>;
}

export const COUNTS = 10_000;
/** So high a limit refuses nothing. */
const LIMIT = 1_000_000;
/** 100 days: nothing is refilled during a run. */
const WINDOW_S = 8_640_000;

/** @param port The port of redis-server on the loopback address. */
export function createDecider(name: string, port: number): Decider {
  switch (name) {
    case MEMORY:
      return memory();
    case PEER:
      return peer(port);
    case REDIS:
      return ours(port, "fixed-window");
    case "redis-sliding-window":
      return ours(port, "sliding-window");
    case "redis-token-bucket":
      return ours(port, "token-bucket");
    default:
      throw new Error(`no contender is named ${name}`);
  }
}

function memory(): Decider {
  const store = createMemoryQuotaStore({ clock: createRealTime().clock });
  const requests = createRequests("fixed-window");
  const once = { deduplicationId: "" };
  return {
    decide: (count) => leftOf(store.allocate(requests[count] as readonly QuotaRequest[], once)),
    close: () => undefined,
  };
}

function ours(port: number, algorithm: QuotaAlgorithm): Decider {
  const context = createTestContext(redisQuota, { port, timeout: "5s" }, { time: createRealTime() });
  const handler = redisQuota.build(context);
  const { quota } = handler;
  if (quota === undefined) throw new Error("the adapter has no quotas");
  const requests = createRequests(algorithm);
  const once = { deduplicationId: "" };
  return {
    decide: async (count) => leftOf(await quota(requests[count] as readonly QuotaRequest[], once)),
    close: () => handler.close(),
  };
}

function peer(port: number): Decider {
  const client = new Redis(port, { enableOfflineQueue: false });
  const ready = new Promise<void>((resolve) => client.once("ready", resolve));
  const limiter = new RateLimiterRedis({ storeClient: client, points: LIMIT, duration: WINDOW_S });
  const keys = Array.from({ length: COUNTS }, (_, user) => `user-${user}`);
  let isReady = false;
  return {
    decide: async (count) => {
      if (!isReady) {
        await ready;
        isReady = true;
      }
      return (await limiter.consume(keys[count] as string)).remainingPoints;
    },
    close: () => client.disconnect(),
  };
}

function createRequests(algorithm: QuotaAlgorithm): readonly (readonly QuotaRequest[])[] {
  return Array.from({ length: COUNTS }, (_, user) => [
    {
      cell: `per-user{"user":"user-${user}"}`,
      algorithm,
      limit: LIMIT,
      windowMs: WINDOW_S * 1_000,
      amount: 1,
      bestEffort: false,
      leaseMs: 0,
    },
  ]);
}

function leftOf(grants: readonly QuotaGrant[]): number {
  const [grant] = grants;
  if (grant?.granted !== 1) throw new Error("a decision was refused");
  return grant.remaining;
}
