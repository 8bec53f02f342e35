// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Cancel,
  CircuitBreaker,
  type Clock,
  type PurserError,
  type QuotaGrant,
  type Random,
  type Scheduler,
  type Ticket,
} from "../../plugins/sdk/index.ts";
import type { Backend } from "./backend.ts";
import { decodeReply, encodeCalls, type ScriptCall } from "./encoding.ts";
import type { Failures } from "./failure.ts";
import { COUNTING } from "./script.ts";
import type { Shard } from "./shards.ts";

/** Calls in one run of the script: about half a millisecond, in which Redis serves nobody else. Larger batches gain little. */
const BATCH_CALLS_MAX = 128;
/** Most calls under way in a store; further calls are refused at once, because Redis would not answer them in time. */
const CALLS_MAX = 10_000;
const BREAKER_FAILURES = 5;
/** Bounds, with the reconnection delay, the time until a recovered Redis is noticed. */
const BREAKER_OPEN_MS = 500;

/** Settings that the lanes of a store share. */
export interface LaneSettings {
  readonly backend: Backend;
  readonly failures: Failures;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Counts the calls of all lanes. */
  readonly load: { calls: number };
  /** Has `send` called at the end of the turn of the event loop. */
  readonly sendSoon: (lane: Lane) => void;
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

/**
 * The calls of one shard. Calls made in the same turn of the event loop share a run of the script. A lane has a circuit
 * breaker of its own: the shards of a lost node fail at once while the others are served.
 */
export class Lane {
  readonly #settings: LaneSettings;
  readonly #shard: Shard;
  readonly #breaker: CircuitBreaker;
  /** No Set, for the reason that kernel/linked-list.ts gives. Redis answers in order, so that a batch is found at the beginning. */
  readonly #underWay: Batch[] = [];
  /** The batch that new calls join. */
  #forming: Batch | undefined;
  #lastFailure: PurserError | undefined;

  constructor(shard: Shard, settings: LaneSettings) {
    this.#shard = shard;
    this.#settings = settings;
    const { clock, random } = settings;
    this.#breaker = new CircuitBreaker({
      clock,
      random,
      failures: BREAKER_FAILURES,
      openMs: BREAKER_OPEN_MS,
    });
  }

  /** Rejects with PURSER_STORE_UNAVAILABLE, within the timeout. */
  allocate({ requests, deduplicationId }: ScriptCall): Promise<readonly QuotaGrant[]> {
    const { failures, load } = this.#settings;
    if (load.calls >= CALLS_MAX)
      return Promise.reject(failures.unavailable(`has ${CALLS_MAX} calls under way`));
    const batch = this.#forming ?? this.#begin();
    if (batch === undefined) {
      return Promise.reject(
        failures.unavailable("is not called after several failures", this.#lastFailure?.retryable ?? true),
      );
    }
    load.calls++;
    const answer = new Promise<readonly QuotaGrant[]>((resolve, reject) => {
      batch.calls.push({ requests, deduplicationId, resolve, reject });
    });
    if (batch.calls.length >= BATCH_CALLS_MAX) this.send();
    return answer;
  }

  /** Sends the batch that is being formed, if any. */
  send(): void {
    const batch = this.#forming;
    if (batch === undefined) return;
    this.#forming = undefined;
    const { backend, failures } = this.#settings;
    const { keyPrefix, slot } = this.#shard;
    const { keys, args } = encodeCalls(batch.calls, keyPrefix);
    backend.evaluate({ script: COUNTING, keys, args, slot }).then(
      (reply) => this.#answer(batch, reply),
      (error: unknown) => this.#fail(batch, failures.of(error)),
    );
  }

  /** Rejects all calls under way. */
  failAll(error: PurserError): void {
    for (let batch = this.#underWay[0]; batch !== undefined; batch = this.#underWay[0])
      this.#fail(batch, error);
  }

  #begin(): Batch | undefined {
    const ticket = this.#breaker.begin();
    if (ticket === undefined) return undefined;
    const { scheduler, timeoutMs, sendSoon } = this.#settings;
    const cancelDeadline = scheduler.after(timeoutMs, () => this.#deadline(batch));
    const batch: Batch = { calls: [], ticket, cancelDeadline, settled: false };
    this.#underWay.push(batch);
    this.#forming = batch;
    sendSoon(this);
    return batch;
  }

  #answer(batch: Batch, reply: unknown): void {
    if (batch.settled) return;
    const { failures } = this.#settings;
    let answers: ReturnType<typeof decodeReply>["answers"];
    try {
      ({ answers } = decodeReply(reply, batch.calls));
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
      const { failures, timeoutMs } = this.#settings;
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
    this.#underWay.splice(this.#underWay.indexOf(batch), 1);
    this.#settings.load.calls -= batch.calls.length;
    this.#breaker.end(batch.ticket, succeeded);
  }
}
