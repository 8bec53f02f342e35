// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MixerService } from "../../api/mixer-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { backoffMs } from "../../kernel/backoff.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import { attempt, chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { doubtful, isDoubtful } from "./doubtful.ts";
import { type Batch, ReportQueue } from "./report-queue.ts";
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
  /** Ids that no other call has. */
  readonly newId: () => string;
}

/**
 * `overflow`: the queue was full; `refused`: the mixer said that it will not take them; `unavailable`: sent, not taken,
 * and the end came; `closed`: never sent before the end; `unconfirmed`: given up without knowing whether they arrived.
 */
type DropReason = "overflow" | "unavailable" | "refused" | "closed" | "unconfirmed";

/** The longest pause before a failed batch is tried again, so that a mixer that is back has the batches soon. */
const RETRY_LIMIT_MS = 2_000;
/** Drops are logged at most so often. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Collects bags into reports, and sends each until the mixer has taken or refused it. Never holds traffic back: what
 * does not fit is dropped, the oldest batch first, and every drop is counted. Failed batches are tried again one at a
 * time, with growing pauses; the first success ends the pause.
 */
export class ReportBatches {
  readonly #options: ReportBatchesOptions;
  readonly #queue = new ReportQueue();
  #filling: AttributeBag[] = [];
  #cancelLinger: Cancel | undefined;
  readonly #inFlight = new Set<Batch>();
  /** The failed batch that is under way again. */
  #retrying: Batch | undefined;
  /** Failures since the last success. */
  #failures = 0;
  #cancelPause: Cancel | undefined;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  /** All that was left has been dropped. */
  #over = false;
  #nextLogMs = 0;
  #unlogged = 0;

  constructor(options: ReportBatchesOptions) {
    this.#options = options;
  }

  add(bag: AttributeBag): void {
    const { stats, settings, scheduler } = this.#options;
    stats.report_calls++;
    if (this.#closing !== undefined) {
      this.#drop(1, "closed", undefined);
      return;
    }
    this.#filling.push(bag);
    if (this.#filling.length >= settings.reportBatchSize) this.#flush();
    else this.#cancelLinger ??= scheduler.after(settings.reportLingerMs, () => this.#flush());
  }

  /** Sends what is there; what is not taken after `deadlineMs` is dropped. Safe to call twice. */
  close(deadlineMs: number): Promise<void> {
    return (this.#closing ??= new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(deadlineMs, () => this.#onIdle?.());
      this.#onIdle = () => {
        cancel();
        this.#onIdle = undefined;
        this.#dropAll();
        resolve();
      };
      this.#endPause();
      this.#flush();
    }));
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#filling.length > 0) this.#queue.add(this.#batchOf(this.#filling));
    this.#filling = [];
    this.#sendWaiting();
  }

  #batchOf(bags: readonly AttributeBag[]): Batch {
    return { id: this.#options.newId(), bags, failed: false, doubtful: false };
  }

  #sendWaiting(): void {
    const { maxReportsInFlight, maxReportBags } = this.#options.settings;
    while (this.#inFlight.size < maxReportsInFlight) {
      const batch = this.#next();
      if (batch === undefined) break;
      this.#inFlight.add(batch);
      const sent = chain(this.#send(batch), (error) => this.#conclude(batch, error));
      if (isPromise(sent)) void sent.then(() => this.#sendWaiting());
    }
    for (const batch of this.#queue.trim(maxReportBags)) this.#giveUp(batch, "overflow");
    if (this.#inFlight.size === 0 && this.#queue.length === 0) this.#onIdle?.();
  }

  #next(): Batch | undefined {
    if (this.#retrying === undefined && this.#cancelPause === undefined) {
      this.#retrying = this.#queue.takeFailed();
      if (this.#retrying !== undefined) {
        this.#options.stats.remote_report_retries++;
        return this.#retrying;
      }
    }
    return this.#queue.takeFresh();
  }

  /** What failed; undefined when nothing did. */
  #send({ id, bags }: Batch): MaybePromise<unknown> {
    const { service, stats, scheduler, settings } = this.#options;
    stats.remote_report_calls++;
    const controller = new AbortController();
    const request = { bags, deduplicationId: id };
    const sent = attempt<unknown>(
      () => chain(service.report(request, { signal: controller.signal }), () => undefined),
      (error) => error ?? new Error("the report failed"),
    );
    return isPromise(sent) ? withDeadline(sent, scheduler, settings.reportTimeoutMs, controller) : sent;
  }

  #conclude(batch: Batch, error: unknown): void {
    const { stats } = this.#options;
    this.#inFlight.delete(batch);
    if (batch === this.#retrying) this.#retrying = undefined;
    if (error === undefined) stats.remote_report_successes++;
    // It was given up as unconfirmed.
    if (this.#over) return;
    if (error === undefined) return this.#endPause();
    const { code, retryable } = faultOf(error);
    const { bags } = batch;
    if (code === "PURSER_REQUEST_TOO_LARGE" && bags.length > 1) {
      const half = Math.ceil(bags.length / 2);
      this.#queue.addFirst([bags.slice(0, half), bags.slice(half)].map((part) => this.#batchOf(part)));
    } else if (!retryable) {
      this.#giveUp(batch, "refused", error);
    } else {
      this.#queue.add({ ...batch, failed: true, doubtful: batch.doubtful || isDoubtful(error) });
      this.#pause();
    }
  }

  #pause(): void {
    const { scheduler, random } = this.#options;
    this.#failures++;
    this.#cancelPause ??= scheduler.after(backoffMs(this.#failures, random, RETRY_LIMIT_MS), () => {
      this.#cancelPause = undefined;
      this.#sendWaiting();
    });
  }

  #endPause(): void {
    this.#failures = 0;
    this.#cancelPause?.();
    this.#cancelPause = undefined;
  }

  #dropAll(): void {
    this.#over = true;
    this.#endPause();
    for (const batch of this.#queue.trim(0)) this.#giveUp(batch, batch.failed ? "unavailable" : "closed");
    for (const { bags } of this.#inFlight) this.#drop(bags.length, "unconfirmed", undefined);
  }

  #giveUp({ bags, doubtful: unknown }: Batch, reason: DropReason, error?: unknown): void {
    this.#drop(bags.length, unknown ? "unconfirmed" : reason, error);
  }

  #drop(bags: number, reason: DropReason, error: unknown): void {
    if (bags === 0) return;
    const { stats, logger, clock } = this.#options;
    stats[`report_drops_${reason}`] += bags;
    this.#unlogged += bags;
    if (!this.#over && clock.monotonicMs() < this.#nextLogMs) return;
    this.#nextLogMs = clock.monotonicMs() + LOG_INTERVAL_MS;
    logger.warn("telemetry was dropped", {
      bags: this.#unlogged,
      reason,
      ...(error === undefined ? {} : { error: messageOf(error) }),
    });
    this.#unlogged = 0;
  }
}

function faultOf(error: unknown): { readonly code: string; readonly retryable: boolean } {
  return isPurserError(error) ? error : { code: "PURSER_INTERNAL", retryable: false };
}

function withDeadline(
  sent: Promise<unknown>,
  scheduler: Scheduler,
  timeoutMs: number,
  controller: AbortController,
): Promise<unknown> {
  return new Promise((resolve) => {
    const cancel = scheduler.after(timeoutMs, () => {
      const message = `the mixer did not take a report within ${timeoutMs} ms`;
      resolve(doubtful(new PurserError("PURSER_MIXER_UNAVAILABLE", message)));
      controller.abort();
    });
    void sent.then((error) => {
      cancel();
      resolve(error);
    });
  });
}
