// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AllocateOptions,
  assertQuotaRequests,
  type QuotaGrant,
  type QuotaRequest,
  type QuotaStore,
} from "../../plugins/sdk/index.ts";
import { Lane, type LaneSettings } from "./lane.ts";
import { chargeParts, partsOf, type ShardPart } from "./several-shards.ts";
import type { Shard } from "./shards.ts";

export interface RedisQuotaStoreOptions extends Omit<LaneSettings, "load" | "sendSoon"> {
  /** At least one. */
  readonly shards: readonly Shard[];
}

/** Quota store in Redis. Calls made in the same turn of the event loop share a round trip. */
export class RedisQuotaStore implements QuotaStore {
  readonly #options: RedisQuotaStoreOptions;
  readonly #lanes: readonly Lane[];
  /** Lanes with calls that have not been sent. */
  #waiting: Lane[] = [];
  #flush: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: RedisQuotaStoreOptions) {
    this.#options = options;
    const settings: LaneSettings = {
      ...options,
      load: { calls: 0 },
      sendSoon: (lane) => this.#sendSoon(lane),
    };
    this.#lanes = options.shards.map((shard) => new Lane(shard, settings));
  }

  allocate(
    requests: readonly QuotaRequest[],
    { deduplicationId }: AllocateOptions,
  ): Promise<readonly QuotaGrant[]> {
    // The lane's promise is returned as it is: an async function would add two promises to each call.
    try {
      assertQuotaRequests(requests);
    } catch (error) {
      return Promise.reject(error as RangeError);
    }
    if (this.#closed) return Promise.reject(this.#options.failures.unavailable("was closed"));
    const lanes = this.#lanes;
    const [first] = lanes as readonly [Lane];
    if (lanes.length === 1) return first.allocate({ requests, deduplicationId });
    const parts = partsOf(requests, lanes.length);
    if (parts.length > 1) return this.#allocateOnSeveral(parts, deduplicationId);
    const lane = lanes[parts[0]?.shard ?? 0] as Lane;
    return lane.allocate({ requests, deduplicationId });
  }

  /** Whether Redis answers within the timeout. Never rejects. */
  async healthy(): Promise<boolean> {
    if (this.#closed) return false;
    const { backend, scheduler, timeoutMs } = this.#options;
    return await new Promise((resolve) => {
      const cancel = scheduler.after(timeoutMs, () => resolve(false));
      backend.ping().then(
        () => (cancel(), resolve(true)),
        () => (cancel(), resolve(false)),
      );
    });
  }

  /** Rejects calls under way. Safe to call twice. */
  close(): void {
    this.#closed = true;
    if (this.#flush !== undefined) clearImmediate(this.#flush);
    for (const lane of this.#lanes) lane.failAll(this.#options.failures.unavailable("was closed"));
    this.#options.backend.close();
  }

  async #allocateOnSeveral(
    parts: readonly ShardPart[],
    deduplicationId: string,
  ): Promise<readonly QuotaGrant[]> {
    const { clock, scheduler, timeoutMs } = this.#options;
    const untilMs = clock.monotonicMs() + timeoutMs;
    let cancelPatience = (): void => undefined;
    const patience = (): Promise<void> =>
      new Promise((resolve) => {
        cancelPatience = scheduler.after(Math.max(0, untilMs - clock.monotonicMs()), resolve);
      });
    try {
      return await chargeParts(
        parts,
        deduplicationId,
        (shard, call) => (this.#lanes[shard] as Lane).allocate(call),
        patience,
      );
    } finally {
      cancelPatience();
    }
  }

  /** All lanes are sent together, so that their commands leave together. */
  #sendSoon(lane: Lane): void {
    this.#waiting.push(lane);
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const each of waiting) each.send();
    });
  }
}
