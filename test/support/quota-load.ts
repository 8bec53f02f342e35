// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
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
  #stopped = false;

  constructor(options: QuotaLoadOptions) {
    this.#options = options;
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

  /** Waits until every count has refused a request. */
  async untilUsedUp(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const refused = new Set(
        this.answers.filter(({ fromStore, granted }) => fromStore && !granted).map(({ cell }) => cell),
      );
      if (refused.size === this.#cells.length) return;
      if (performance.now() > endMs) throw new Error(`only ${refused.size} counts are used up`);
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
   * Asserts of every count that the store granted its limit, once it is used up: more only by grants that were answered
   * from `lossFromMs` to `failoverMs`, which may have been lost with the primary; less only by calls without an answer,
   * which may have been counted.
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
        ({ answeredMs }) => answeredMs > lossFromMs && answeredMs <= failoverMs,
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
