// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Agent, request } from "node:http";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { stringify } from "yaml";
import { redisQuota } from "../../adapters/redis-quota/index.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaAlgorithm } from "../../core/quota/quota-definition.ts";
import type { QuotaGrant, QuotaRequest } from "../../core/quota/quota.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { createRealTime, createTestContext } from "../../plugins/sdk/testing/index.ts";
import { MEMORY, PEER, REDIS, SERVICE } from "./contenders.ts";

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

/** @param port The loopback port of the server that the contender asks. */
export function createDecider(name: string, port: number): Decider {
  switch (name) {
    case MEMORY:
      return memory();
    case PEER:
      return peer(port);
    case SERVICE:
      return service(port);
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

const DOMAIN = "bench";

/** The configuration of envoyproxy/ratelimit for its contender; its longest window is a year. */
export const RATELIMIT_CONFIG = stringify({
  domain: DOMAIN,
  descriptors: [{ key: "user", rate_limit: { unit: "year", requests_per_unit: LIMIT } }],
});

/** The part of the service's answer that the contender reads. */
interface ServiceAnswer {
  readonly overallCode: string;
  readonly statuses: readonly { readonly limitRemaining?: number }[];
}

/** A POST for each decision, over connections that are kept open: one for each decision under way. */
function service(port: number): Decider {
  const agent = new Agent({ keepAlive: true });
  const bodies = Array.from({ length: COUNTS }, (_, user) =>
    JSON.stringify({ domain: DOMAIN, descriptors: [{ entries: [{ key: "user", value: `user-${user}` }] }] }),
  );
  return {
    decide: async (count) => {
      const { overallCode, statuses } = JSON.parse(
        await post(agent, port, bodies[count] as string),
      ) as ServiceAnswer;
      const left = statuses[0]?.limitRemaining;
      if (overallCode !== "OK" || left === undefined) throw new Error("a decision was refused");
      return left;
    },
    close: () => agent.destroy(),
  };
}

/** Rejects when the service does not answer with 200 within 5 s. */
function post(agent: Agent, port: number, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const options = {
      agent,
      host: "127.0.0.1",
      port,
      path: "/json",
      method: "POST",
      headers,
      timeout: 5_000,
    };
    const asked = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`the service answered ${response.statusCode}: ${text}`));
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("the service did not answer within 5 s")));
    asked.on("error", reject);
    asked.end(body);
  });
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
