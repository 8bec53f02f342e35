// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Cancel,
  isPurserError,
  type Logger,
  messageOf,
  type Random,
  type Scheduler,
} from "../../../plugins/sdk/index.ts";
import type { Exporter } from "../exporter.ts";
import type { PartialSuccess, Resource, ResourceMetrics } from "../otlp.ts";
import { SCOPE } from "../resource.ts";
import type { SelfMetrics } from "../self-metrics.ts";
import type { MetricStore, PointBatch } from "./metric-store.ts";

/** Most tries of one request. The next push sends cumulative values, so little is lost with one that fails. */
const MAX_ATTEMPTS = 3;

/** The pause before the second try, in milliseconds; it doubles after each. */
const FIRST_PAUSE_MS = 500;

export interface MetricPushOptions {
  readonly store: MetricStore;
  readonly exporter: Exporter;
  readonly resource: Resource;
  readonly self: SelfMetrics;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** Pushes all metrics at every interval, from the first instance on, and a last time at the close. */
export class MetricPush {
  readonly #options: MetricPushOptions;
  #timer: Cancel | undefined;
  #running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  #closing: Promise<void> | undefined;
  /** The failure that the log tells of already; undefined while pushes succeed. */
  #complaint: string | undefined;

  constructor(options: MetricPushOptions) {
    this.#options = options;
  }

  /** Begins to push, unless it has begun. */
  start(): void {
    const { scheduler, intervalMs } = this.#options;
    if (this.#closing === undefined) this.#timer ??= scheduler.every(intervalMs, () => this.#tick());
  }

  /** Pushes once more, within `timeoutMs`, when values have changed since the last push. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Skips a push while the last one is not over: both would send the same series. */
  #tick(): void {
    if (this.#running === undefined) void this.#run(MAX_ATTEMPTS, this.#options.intervalMs);
  }

  async #close(): Promise<void> {
    this.#timer?.();
    const { store, timeoutMs } = this.#options;
    // A batch that is under way would be sent again.
    const interrupted = this.#running;
    interrupted?.controller.abort();
    await interrupted?.ended;
    if (store.isChanged || interrupted !== undefined) await this.#run(1, timeoutMs);
  }

  /** Never rejects. */
  #run(attempts: number, deadlineMs: number): Promise<void> {
    const controller = new AbortController();
    const cancel = this.#options.scheduler.after(deadlineMs, () => controller.abort());
    const ended = this.#push(attempts, controller.signal).finally(() => {
      cancel();
      this.#running = undefined;
    });
    this.#running = { controller, ended };
    return ended;
  }

  async #push(attempts: number, signal: AbortSignal): Promise<void> {
    const { store, logger } = this.#options;
    const waiting = [...store.collect()];
    let complaint: string | undefined;
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      try {
        complaint = (await this.#send(batch, attempts, signal)) ?? complaint;
      } catch (error) {
        if (isPurserError(error) && error.code === "PURSER_REQUEST_TOO_LARGE" && batch.size > 1) {
          waiting.unshift(...batch.halves());
          continue;
        }
        this.#options.self.points("failed", batch.size);
        complaint = messageOf(error);
      }
    }
    // A push that close() interrupted is followed by the last one.
    if (signal.aborted && this.#closing !== undefined && attempts > 1) return;
    if (complaint !== undefined && complaint !== this.#complaint)
      logger.warn("metrics were not all accepted", { reason: complaint });
    if (complaint === undefined && this.#complaint !== undefined) logger.info("metrics are accepted again");
    this.#complaint = complaint;
  }

  /** Returns the receiver's complaint about points that it rejected. */
  async #send(batch: PointBatch, attempts: number, signal: AbortSignal): Promise<string | undefined> {
    const { resource, self } = this.#options;
    const payload: ResourceMetrics = {
      resource,
      scopeMetrics: [{ scope: SCOPE, metrics: [...batch.data()] }],
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const partial = await this.#try(payload, signal);
        const rejected = Math.min(partial.rejected, batch.size);
        self.points("accepted", batch.size - rejected);
        if (rejected === 0) return undefined;
        self.points("rejected", rejected);
        return `the receiver rejected ${rejected} of ${batch.size} points: ${partial.message}`;
      } catch (error) {
        if (!isPurserError(error) || !error.retryable || attempt >= attempts || signal.aborted) throw error;
        await this.#pause(pauseOf(error.details["retryAfterMs"], attempt, this.#options.random), signal);
        if (signal.aborted) throw error;
      }
    }
  }

  /** One request, which ends after `timeoutMs` or with the push. */
  async #try(payload: ResourceMetrics, push: AbortSignal): Promise<PartialSuccess> {
    const { exporter, scheduler, timeoutMs } = this.#options;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const cancel = scheduler.after(timeoutMs, abort);
    push.addEventListener("abort", abort);
    if (push.aborted) abort();
    try {
      return await exporter.send("metrics", payload, { signal: controller.signal });
    } finally {
      cancel();
      push.removeEventListener("abort", abort);
    }
  }

  #pause(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#options.scheduler.after(durationMs, end);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    });
  }
}

/** The server's own pause, or one that doubles, between half of it and all of it. */
function pauseOf(retryAfterMs: unknown, attempt: number, random: Random): number {
  if (typeof retryAfterMs === "number") return retryAfterMs;
  return FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random() / 2);
}
