// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { chargeAll } from "../../core/quota/charge-all.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaAlgorithm } from "../../core/quota/quota-definition.ts";
import type { QuotaStore } from "../../core/quota/quota.ts";
import { createRealTime } from "../../plugins/sdk/testing/index.ts";
import { uniqueName } from "./quota-store-suite.ts";

/** One charge of 1, as its request saw it. Times are of performance.now(), in milliseconds. */
interface Answer {
  readonly cell: string;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly granted: boolean;
  /** False when the store failed and `onStoreFailure: local` decided. */
  readonly fromStore: boolean;
}

export interface QuotaLoadOptions {
  readonly store: QuotaStore;
  readonly cells: number;
  readonly limit: number;
  /** Requests under way at a time; default 24. */
  readonly askers?: number;
}

/** A window that frees nothing during a test. */
const LONG_MS = 100 * 24 * 3_600_000;
const ALGORITHMS: readonly QuotaAlgorithm[] = ["sliding-window", "token-bucket"];

/**
 * Requests that charge 1 to one of several counts, in turn, through chargeAll with `onStoreFailure: local`, as the mixer
 * does. The log of all answers is checked against the guarantees of a store.
 */
export class QuotaLoad {
  readonly answers: Answer[] = [];
  readonly #options: QuotaLoadOptions;
  readonly #cells: readonly string[];
  readonly #askers: readonly Promise<void>[];
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #stopped = false;

  constructor(options: QuotaLoadOptions) {
    this.#options = options;
    this.#delay.enable();
    const { askers = 24, cells } = options;
    const policy = uniqueName("load");
    this.#cells = Array.from({ length: cells }, (_, user) => `${policy}{"user":"${user}"}`);
    const localStore = createMemoryQuotaStore({ clock: createRealTime().clock });
    this.#askers = Array.from({ length: askers }, (_, asker) => this.#ask(asker, localStore));
  }

  /** Number of answers until now. */
  get count(): number {
    return this.answers.length;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#askers);
    this.#delay.disable();
  }

  /** Waits until the store has decided `calls` more calls in a row, or throws after `deadlineMs`. */
  async untilStoreDecides(calls: number, deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const last = this.answers.slice(-calls);
      if (last.length === calls && last.every(({ fromStore }) => fromStore)) return;
      if (performance.now() > endMs)
        throw new Error(`the store did not decide again within ${deadlineMs} ms`);
      await sleep(20);
    }
  }

  /**
   * Waits until every count has refused a request. It throws when the store has granted nothing for `stallMs`: a busy
   * machine makes the load slow, and not wrong.
   */
  async untilUsedUp(stallMs: number): Promise<void> {
    let checked = 0;
    let grantedMs = performance.now();
    const refused = new Set<string>();
    for (;;) {
      for (; checked < this.answers.length; checked++) {
        const { cell, fromStore, granted, answeredMs } = this.answers[checked] as Answer;
        if (fromStore && !granted) refused.add(cell);
        if (fromStore && granted) grantedMs = Math.max(grantedMs, answeredMs);
      }
      if (refused.size === this.#cells.length) return;
      if (performance.now() > grantedMs + stallMs)
        throw new Error(`only ${refused.size} counts are used up, and nothing was granted for ${stallMs} ms`);
      await sleep(20);
    }
  }

  /** The longest wait for an answer, in milliseconds. */
  longestWaitMs(): number {
    return this.answers.reduce(
      (longest, { sentMs, answeredMs }) => Math.max(longest, answeredMs - sentMs),
      0,
    );
  }

  /**
   * Asserts that no request waited for longer than `waitMs`, not counting the time for which this process itself got no
   * CPU: its timers are late by as much.
   */
  assertNoneWaited(waitMs: number): void {
    const stalledMs = this.#delay.max / 1e6;
    const longestMs = this.longestWaitMs();
    assert.ok(longestMs < waitMs + stalledMs, `${longestMs} ms; this process stalled for ${stalledMs} ms`);
  }

  /**
   * Asserts of every count that the store granted its limit, once it is used up: more only by grants that were answered
   * after `lossFromMs` and asked for before `failoverMs`, which may have been lost with the primary (its last answers may be
   * read after its end has been noticed); less only by calls without an answer, which may have been counted.
   *
   * @param lossFromMs When the replicas may have had their last write; default: a second before the failover.
   * @returns The number of lost grants that were granted again, of all counts.
   */
  assertExact(failoverMs = Number.NEGATIVE_INFINITY, lossFromMs = failoverMs - 1_000): number {
    const { limit } = this.#options;
    let excess = 0;
    for (const cell of this.#cells) {
      const own = this.answers.filter((answer) => answer.cell === cell);
      const granted = own.filter((answer) => answer.fromStore && answer.granted);
      const mayBeLost = granted.filter(
        ({ sentMs, answeredMs }) => answeredMs > lossFromMs && sentMs <= failoverMs,
      ).length;
      const unanswered = own.filter(({ fromStore }) => !fromStore).length;
      const told = `${cell}: ${granted.length} granted of ${limit}, ${mayBeLost} may be lost, ${unanswered} unanswered`;
      assert.ok(granted.length <= limit + mayBeLost, told);
      assert.ok(granted.length >= limit - unanswered, told);
      excess += Math.max(0, granted.length - limit);
    }
    return excess;
  }

  async #ask(asker: number, localStore: QuotaStore): Promise<void> {
    const { store, limit } = this.#options;
    const named = { name: "redis", allocate: store.allocate.bind(store) };
    for (let turn = asker; !this.#stopped; turn++) {
      const cell = this.#cells[turn % this.#cells.length] as string;
      const request = {
        cell,
        algorithm: ALGORITHMS[(turn % this.#cells.length) % ALGORITHMS.length] as QuotaAlgorithm,
        limit,
        windowMs: LONG_MS,
        amount: 1,
        bestEffort: false,
        leaseMs: 0,
      };
      const sentMs = performance.now();
      const [outcome] = await chargeAll(
        [{ policy: "load", mode: "enforce", onStoreFailure: "local", store: named, request }],
        { deduplicationId: uniqueName("call"), localStore, nodes: 2 },
      );
      assert.ok(outcome !== undefined);
      this.answers.push({
        cell,
        sentMs,
        answeredMs: performance.now(),
        granted: outcome.granted === 1,
        fromStore: outcome.failure === undefined,
      });
      await sleep(2);
    }
  }
}
