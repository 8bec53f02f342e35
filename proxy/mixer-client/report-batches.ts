// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MixerService } from "../../api/mixer.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { isPurserError, messageOf, PurserError } from "../../core/kernel/errors.ts";
import { attempt, chain, isPromise, type MaybePromise } from "../../core/kernel/maybe-promise.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../core/kernel/ports.ts";
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
}

type Batch = readonly AttributeBag[];
type DropReason = "overflow" | "unavailable" | "refused" | "closed";

/** One retry, after 100 to 500 ms: enough for a mixer's restart behind another one, too little to pile up. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 500;
/** Drops are logged at most so often. */
const LOG_INTERVAL_MS = 10_000;

/** Collects bags into reports. Never holds traffic back: what does not fit is dropped, and every drop is counted. */
export class ReportBatches {
  readonly #options: ReportBatchesOptions;
  #filling: AttributeBag[] = [];
  #cancelLinger: Cancel | undefined;
  /** Full, in order. */
  #waiting: Batch[] = [];
  #waitingBags = 0;
  #inFlight = 0;
  readonly #retries = new Set<() => void>();
  #closed = false;
  #onIdle: (() => void) | undefined;
  #nextLogMs = 0;
  #unlogged = 0;

  constructor(options: ReportBatchesOptions) {
    this.#options = options;
  }

  add(bag: AttributeBag): void {
    const { stats, settings, scheduler } = this.#options;
    stats.report_calls++;
    if (this.#closed) {
      this.#drop(1, "closed", undefined);
      return;
    }
    this.#filling.push(bag);
    if (this.#filling.length >= settings.reportBatchSize) this.#flush();
    else this.#cancelLinger ??= scheduler.after(settings.reportLingerMs, () => this.#flush());
  }

  /** Sends what is there; what is not sent after `deadlineMs` is dropped. */
  close(deadlineMs: number): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#flush();
      for (const retry of this.#retries) retry();
    }
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(deadlineMs, () => this.#onIdle?.());
      this.#onIdle = () => {
        cancel();
        this.#onIdle = undefined;
        this.#drop(this.#waitingBags, "closed", undefined);
        this.#waiting = [];
        this.#waitingBags = 0;
        resolve();
      };
    });
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#filling.length > 0) {
      this.#waiting.push(this.#filling);
      this.#waitingBags += this.#filling.length;
      this.#filling = [];
    }
    this.#sendWaiting();
    while (this.#waitingBags > this.#options.settings.maxReportBags) {
      const oldest = this.#waiting.shift() as Batch;
      this.#waitingBags -= oldest.length;
      this.#drop(oldest.length, "overflow", undefined);
    }
  }

  #sendWaiting(): void {
    while (this.#inFlight < this.#options.settings.maxReportsInFlight) {
      const batch = this.#waiting.shift();
      if (batch === undefined) break;
      this.#waitingBags -= batch.length;
      this.#inFlight++;
      const sent = this.#deliver(batch);
      if (isPromise(sent)) void sent.then(() => this.#landed());
      else this.#inFlight--;
    }
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #landed(): void {
    this.#inFlight--;
    this.#sendWaiting();
  }

  /** Never rejects. */
  #deliver(batch: Batch): MaybePromise<void> {
    const { stats } = this.#options;
    return chain(this.#send(batch), (error) => {
      if (error === undefined) return;
      const { code, retryable } = faultOf(error);
      if (code === "PURSER_REQUEST_TOO_LARGE" && batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        return chain(this.#deliver(batch.slice(0, half)), () => this.#deliver(batch.slice(half)));
      }
      if (!retryable) return this.#drop(batch.length, "refused", error);
      if (this.#closed) return this.#drop(batch.length, "unavailable", error);
      stats.remote_report_retries++;
      return this.#pause()
        .then(() => this.#send(batch))
        .then((again) => {
          if (again !== undefined) this.#drop(batch.length, "unavailable", again);
        });
    });
  }

  /** What failed; undefined when nothing did. */
  #send(batch: Batch): MaybePromise<unknown> {
    const { service, stats, scheduler, settings } = this.#options;
    stats.remote_report_calls++;
    const controller = new AbortController();
    const sent = attempt<unknown>(
      () => chain(service.report({ bags: batch }, { signal: controller.signal }), () => undefined),
      (error) => error ?? new Error("the report failed"),
    );
    return chain(
      isPromise(sent) ? withDeadline(sent, scheduler, settings.reportTimeoutMs, controller) : sent,
      (error) => {
        if (error === undefined) stats.remote_report_successes++;
        return error;
      },
    );
  }

  #pause(): Promise<void> {
    const { scheduler, random } = this.#options;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#retries.delete(end);
        resolve();
      };
      const cancel = scheduler.after(RETRY_MIN_MS + random() * (RETRY_MAX_MS - RETRY_MIN_MS), end);
      this.#retries.add(end);
    });
  }

  #drop(bags: number, reason: DropReason, error: unknown): void {
    if (bags === 0) return;
    const { stats, logger, clock } = this.#options;
    stats[`report_drops_${reason}`] += bags;
    this.#unlogged += bags;
    if (clock.monotonicMs() < this.#nextLogMs) return;
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

/** Not retryable: whether the mixer took the report is not known, and counting twice is worse than not at all. */
function withDeadline(
  sent: Promise<unknown>,
  scheduler: Scheduler,
  timeoutMs: number,
  controller: AbortController,
): Promise<unknown> {
  return new Promise((resolve) => {
    const cancel = scheduler.after(timeoutMs, () => {
      const message = `the mixer did not take a report within ${timeoutMs} ms`;
      resolve(new PurserError("PURSER_MIXER_UNAVAILABLE", message, { retryable: false }));
      controller.abort();
    });
    void sent.then((error) => {
      cancel();
      resolve(error);
    });
  });
}
