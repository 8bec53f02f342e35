// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AllocateOptions,
  assertQuotaRequests,
  type Cancel,
  CircuitBreaker,
  type Clock,
  type PurserError,
  type QuotaGrant,
  type QuotaRequest,
  type QuotaStore,
  type Random,
  type Scheduler,
  type Ticket,
} from "../../plugins/sdk/index.ts";
import type { Connection } from "./connection.ts";
import { decodeReply, encodeCalls, type ScriptCall } from "./encoding.ts";
import type { Failures } from "./failure.ts";

/** Calls in one run of the script: larger batches gain little, and Redis serves nobody else during a run. */
const BATCH_CALLS_MAX = 64;
/** Most calls under way; further calls are refused at once, because Redis would not answer them in time. */
const CALLS_MAX = 10_000;
const BREAKER_FAILURES = 5;
/** Bounds, with the reconnection delay, the time until a recovered Redis is noticed. */
const BREAKER_OPEN_MS = 500;

export interface RedisQuotaStoreOptions {
  readonly connection: Connection;
  readonly failures: Failures;
  readonly keyPrefix: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
}

interface Call extends ScriptCall {
  resolve(grants: readonly QuotaGrant[]): void;
  reject(error: PurserError): void;
}

/** Calls sent to Redis together; each is decided on its own. */
interface Batch {
  readonly calls: Call[];
  readonly ticket: Ticket;
  cancelDeadline: Cancel;
  settled: boolean;
}

/** Quota store in Redis. Calls made in the same turn of the event loop share a round trip. */
export class RedisQuotaStore implements QuotaStore {
  readonly #options: RedisQuotaStoreOptions;
  readonly #breaker: CircuitBreaker;
  readonly #underWay = new Set<Batch>();
  /** The batch that new calls join. */
  #forming: Batch | undefined;
  #flush: NodeJS.Immediate | undefined;
  #calls = 0;
  #lastFailure: PurserError | undefined;
  #closed = false;

  constructor(options: RedisQuotaStoreOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#breaker = new CircuitBreaker({
      clock,
      random,
      failures: BREAKER_FAILURES,
      openMs: BREAKER_OPEN_MS,
    });
  }

  async allocate(
    requests: readonly QuotaRequest[],
    { deduplicationId }: AllocateOptions,
  ): Promise<readonly QuotaGrant[]> {
    assertQuotaRequests(requests);
    const { failures } = this.#options;
    if (this.#closed) throw failures.unavailable("was closed");
    if (this.#calls >= CALLS_MAX) throw failures.unavailable(`has ${CALLS_MAX} calls under way`);
    const batch = this.#forming ?? this.#begin();
    if (batch === undefined) {
      throw failures.unavailable(
        "is not called after several failures",
        this.#lastFailure?.retryable ?? true,
      );
    }
    const answer = new Promise<readonly QuotaGrant[]>((resolve, reject) => {
      batch.calls.push({ requests, deduplicationId, resolve, reject });
    });
    this.#calls++;
    if (batch.calls.length >= BATCH_CALLS_MAX) this.#send();
    return await answer;
  }

  /** Whether Redis answers within the timeout. Never rejects. */
  async healthy(): Promise<boolean> {
    if (this.#closed) return false;
    const { connection, scheduler, timeoutMs } = this.#options;
    return await new Promise((resolve) => {
      const cancel = scheduler.after(timeoutMs, () => resolve(false));
      connection.ping().then(
        () => (cancel(), resolve(true)),
        () => (cancel(), resolve(false)),
      );
    });
  }

  /** Rejects calls under way. Safe to call twice. */
  close(): void {
    this.#closed = true;
    if (this.#flush !== undefined) clearImmediate(this.#flush);
    this.#forming = undefined;
    for (const batch of this.#underWay) this.#fail(batch, this.#options.failures.unavailable("was closed"));
    this.#options.connection.close();
  }

  #begin(): Batch | undefined {
    const ticket = this.#breaker.begin();
    if (ticket === undefined) return undefined;
    const { scheduler, timeoutMs } = this.#options;
    const cancelDeadline = scheduler.after(timeoutMs, () => this.#deadline(batch));
    const batch: Batch = { calls: [], ticket, cancelDeadline, settled: false };
    this.#underWay.add(batch);
    this.#forming = batch;
    this.#flush = setImmediate(() => this.#send());
    return batch;
  }

  #send(): void {
    const batch = this.#forming;
    if (batch === undefined) return;
    if (this.#flush !== undefined) clearImmediate(this.#flush);
    this.#forming = undefined;
    const { connection, keyPrefix, failures } = this.#options;
    const { keys, args } = encodeCalls(batch.calls, keyPrefix);
    connection.evaluate(keys, args).then(
      (reply) => this.#answer(batch, reply),
      (error: unknown) => this.#fail(batch, failures.of(error)),
    );
  }

  #answer(batch: Batch, reply: unknown): void {
    if (batch.settled) return;
    const { failures } = this.#options;
    let answers: ReturnType<typeof decodeReply>["answers"];
    try {
      ({ answers } = decodeReply(reply, batch.calls.length));
    } catch (error) {
      this.#fail(batch, failures.of(error));
      return;
    }
    this.#settle(batch, true);
    for (const [index, call] of batch.calls.entries()) {
      const answer = answers[index] as (typeof answers)[number];
      if ("error" in answer) call.reject(failures.of(new Error(answer.error)));
      else call.resolve(answer);
    }
  }

  #deadline(batch: Batch): void {
    // If this process was too busy to read it, the reply may be waiting at the socket: read before failing.
    setImmediate(() => {
      const { failures, timeoutMs } = this.#options;
      this.#fail(batch, failures.unavailable(`did not answer within ${timeoutMs} ms`));
    });
  }

  #fail(batch: Batch, error: PurserError): void {
    if (batch.settled) return;
    this.#lastFailure = error;
    if (this.#forming === batch) this.#forming = undefined;
    this.#settle(batch, false);
    for (const call of batch.calls) call.reject(error);
  }

  #settle(batch: Batch, succeeded: boolean): void {
    batch.settled = true;
    batch.cancelDeadline();
    this.#underWay.delete(batch);
    this.#calls -= batch.calls.length;
    this.#breaker.end(batch.ticket, succeeded);
  }
}
