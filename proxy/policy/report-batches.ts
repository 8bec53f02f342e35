// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MixerService } from "../../api/mixer-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Batch } from "../../delivery/batch.ts";
import { Delivery } from "../../delivery/delivery.ts";
import { DropLog } from "../../delivery/drop-log.ts";
import type { DeliveryEvents, DropReason } from "../../delivery/events.ts";
import type { Sender } from "../../delivery/sender.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { isUnconfirmed, unconfirmed } from "./unconfirmed.ts";
import type { PolicyClientSettings } from "./settings.ts";
import type { ClientStats } from "./stats.ts";

export interface ReportBatchesOptions {
  readonly service: Pick<MixerService, "report">;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly stats: ClientStats;
  readonly settings: PolicyClientSettings;
  /** Returns a unique call id. */
  readonly newId: () => string;
}

/**
 * Why a report was dropped:
 * - `overflow`: the queue was full.
 * - `refused`: the mixer refused the report for good.
 * - `unavailable`: sent, never accepted, and the proxy closed.
 * - `closed`: never sent before the proxy closed.
 * - `unconfirmed`: given up without an answer; the report may have arrived.
 */
type ReportDropReason = "overflow" | "unavailable" | "refused" | "closed" | "unconfirmed";

/** Maximum pause before a failed batch is retried, so that batches arrive soon after the mixer is back. */
const RETRY_LIMIT_MS = 2_000;

/**
 * Collects bags into reports, and retries each report until the mixer accepts or refuses it. Traffic is never
 * held back: when the queue is full the oldest bags are dropped, and every drop is counted. Fresh batches
 * overtake failed ones.
 */
export class ReportBatches {
  readonly #options: ReportBatchesOptions;
  readonly #delivery: Delivery<AttributeBag>;
  readonly #dropLog: DropLog;
  /**
   * Deduplication id of each batch that was sent; the same for every try, so that the mixer counts the batch
   * once.
   */
  readonly #ids = new WeakMap<Batch<AttributeBag>, string>();
  /** Unconfirmed batches: the mixer may have accepted them although no answer came. */
  readonly #unconfirmed = new WeakSet<Batch<AttributeBag>>();
  #closed = false;

  constructor(options: ReportBatchesOptions) {
    const { settings, clock, random, scheduler, logger } = options;
    this.#options = options;
    this.#dropLog = new DropLog(logger, clock);
    this.#delivery = new Delivery({
      settings: {
        batchSize: settings.reportBatchSize,
        lingerMs: settings.reportLingerMs,
        queueSize: settings.maxReportBags,
        attempts: Number.POSITIVE_INFINITY,
        timeoutMs: settings.reportTimeoutMs,
      },
      maxInFlight: settings.maxReportsInFlight,
      inOrder: false,
      maxPauseMs: RETRY_LIMIT_MS,
      send: this.#send,
      onTimeout: () => {
        const message = `the mixer did not take a report within ${settings.reportTimeoutMs} ms`;
        return unconfirmed(new PurserError("PURSER_MIXER_UNAVAILABLE", message));
      },
      events: this.#events(),
      clock,
      random,
      scheduler,
    });
  }

  add(bag: AttributeBag): void {
    this.#options.stats.report_calls++;
    this.#delivery.offer(bag);
  }

  /** Sends the bags that wait; drops those not accepted after `deadlineMs`. Idempotent. */
  close(deadlineMs: number): Promise<void> {
    return this.#delivery.close(deadlineMs);
  }

  readonly #send: Sender<AttributeBag> = (batch, call) => {
    const id = this.#ids.get(batch) ?? this.#options.newId();
    this.#ids.set(batch, id);
    return this.#options.service.report({ bags: batch.items, deduplicationId: id }, call);
  };

  #events(): Partial<DeliveryEvents<AttributeBag>> {
    const { stats } = this.#options;
    return {
      sending({ attempts }) {
        stats.remote_report_calls++;
        if (attempts > 1) stats.remote_report_retries++;
      },
      delivered: ({ items }) => {
        stats.remote_report_successes++;
        // A batch that was under way at the close is counted as unconfirmed already.
        if (!this.#closed) stats.reported_bags += items.length;
      },
      failed: (batch, error) => {
        if (isUnconfirmed(error)) this.#unconfirmed.add(batch);
      },
      dropped: (items, reason, error, batch) => {
        // A batch that was under way at the close is counted as unconfirmed already.
        if (batch === undefined || (this.#closed && batch.attempts > 0)) return;
        this.#count(items, this.#reasonOf(batch, reason), error);
      },
      abandoned: ({ items }) => this.#count(items.length, "unconfirmed"),
      closed: () => {
        this.#closed = true;
        this.#dropLog.flush();
      },
    };
  }

  #reasonOf(batch: Batch<AttributeBag>, reason: DropReason): ReportDropReason {
    if (this.#unconfirmed.has(batch)) return "unconfirmed";
    if (reason === "failed") return "refused";
    if (reason === "closed") return batch.attempts > 0 ? "unavailable" : "closed";
    return reason === "overflow" ? "overflow" : "refused";
  }

  #count(items: number, reason: ReportDropReason, error?: unknown): void {
    this.#options.stats[`report_drops_${reason}`] += items;
    this.#dropLog.dropped(items, reason, error);
  }
}
