// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Cancel,
  type Clock,
  isPurserError,
  type Logger,
  messageOf,
  type Scheduler,
} from "../../../plugins/sdk/index.ts";
import { MIN_SPACING_MS } from "../config.ts";
import type { Counters } from "../counters.ts";
import { CallDeadlines } from "./call-deadlines.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Series } from "./series.ts";
import type { SeriesTable } from "./series-table.ts";
import { MAX_SERIES_IN_CALL, type TimeSeriesWriter } from "./time-series.ts";

/** Calls that are under way at the same time: 10,000 series are 50 calls, which must fit into the shortest interval. */
const MAX_CALLS = 4;

/** Longest pause that the service may ask for, so that a wrong value cannot stop metrics for good, in milliseconds. */
const MAX_PAUSE_MS = 300_000;

export interface MetricPushOptions {
  readonly table: SeriesTable;
  readonly writer: TimeSeriesWriter;
  readonly descriptors: Descriptors;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly closeTimeoutMs: number;
}

/**
 * Pushes the series of a table every interval. Nothing is queued: what a failed push did not write, the next push writes, because
 * every point has a series' whole count. A failed push is repeated within the interval, for the series that it did not write.
 */
export class MetricPush {
  readonly #options: MetricPushOptions;
  readonly #deadlines: CallDeadlines;
  #cancelInterval: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  #round: Promise<void> | undefined;
  /** Monotonic times. */
  #nextTickMs = 0;
  #notBeforeMs = 0;
  #failures = 0;
  #closing: Promise<void> | undefined;

  constructor(options: MetricPushOptions) {
    this.#options = options;
    this.#deadlines = new CallDeadlines(options.scheduler, options.timeoutMs);
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Begins the intervals; at the first report, so that an unused handler does nothing. */
  start(): void {
    if (this.#cancelInterval !== undefined || this.#closing !== undefined) return;
    const { scheduler, clock, intervalMs } = this.#options;
    this.#nextTickMs = clock.monotonicMs() + intervalMs;
    this.#cancelInterval = scheduler.every(intervalMs, () => {
      this.#nextTickMs = clock.monotonicMs() + intervalMs;
      this.#push(this.#options.table.all());
    });
  }

  /** Ends the intervals and pushes what has changed, within closeTimeout. What is not pushed is counted and logged. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#cancelInterval?.();
    this.#cancelRetry?.();
    const { scheduler, closeTimeoutMs, table, clock } = this.#options;
    if (table.size > 0) {
      const cancel = scheduler.after(closeTimeoutMs, () => this.#deadlines.abort());
      await this.#round;
      const nowMs = clock.nowMs();
      const due = table.all().filter((series) => series.isChanged && series.times.isSpaced(nowMs));
      await this.#write(due).catch(() => {});
      cancel();
    }
    this.#deadlines.abort();
    this.#reportUnpushed();
  }

  #push(series: readonly Series[]): void {
    // A round that takes longer than an interval is not joined by another.
    if (this.#round !== undefined || series.length === 0) return;
    if (this.#options.clock.monotonicMs() < this.#notBeforeMs) return;
    this.#cancelRetry?.();
    this.#round = this.#write(series)
      .then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(series, error),
      )
      .finally(() => (this.#round = undefined));
  }

  #succeeded(): void {
    if (this.#failures > 0)
      this.#options.logger.info("metrics are pushed again", { failures: this.#failures });
    this.#failures = 0;
    this.#options.table.expire();
  }

  /** Repeats a failed push after a growing pause, unless the next interval comes first. */
  #failed(series: readonly Series[], error: unknown): void {
    const { clock, scheduler, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    const retryable = isPurserError(error) && error.retryable;
    // Once for each outage.
    if (this.#failures === 0)
      logger.warn("metrics could not be pushed", { error: messageOf(error), retryable });
    const askedMs = isPurserError(error) ? error.details["retryAfterMs"] : undefined;
    const pauseMs = Math.max(
      MIN_SPACING_MS * 2 ** Math.min(this.#failures, 10),
      typeof askedMs === "number" ? Math.min(askedMs, MAX_PAUSE_MS) : 0,
    );
    this.#failures++;
    if (typeof askedMs === "number") this.#notBeforeMs = nowMs + Math.min(askedMs, MAX_PAUSE_MS);
    if (!retryable || this.#closing !== undefined || nowMs + pauseMs >= this.#nextTickMs) return;
    this.#cancelRetry = scheduler.after(pauseMs, () => {
      const left = new Set(this.#options.table.all());
      this.#push(series.filter((one) => one.isUnwritten && left.has(one)));
    });
  }

  /**
   * One round: each series once, in several calls at a time. The first call that fails ends the round, since the service is away
   * or busy.
   *
   * @throws PurserError of the first failure.
   */
  async #write(series: readonly Series[]): Promise<void> {
    const { descriptors, writer } = this.#options;
    for (const one of series) one.isUnwritten = true;
    for (const metric of new Set(series.map((one) => one.metric)))
      await this.#deadlines.run((call) => descriptors.ensure(metric, call));
    let next = 0;
    let failure: { readonly error: unknown } | undefined;
    const work = async (): Promise<void> => {
      while (next < series.length && failure === undefined) {
        const batch = series.slice(next, (next += MAX_SERIES_IN_CALL));
        try {
          await this.#deadlines.run((call) => writer.write(batch, call));
          for (const one of batch) one.isUnwritten = false;
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_CALLS }, work));
    if (failure !== undefined) throw failure.error;
  }

  #reportUnpushed(): void {
    const { table, counters, logger } = this.#options;
    const unpushed = table.all().filter((series) => series.isChanged);
    if (unpushed.length === 0) return;
    for (const { metric } of unpushed) counters.lost(metric.name, "closed");
    logger.warn("the handler was closed before the last reports of some series were pushed", {
      series: unpushed.length,
    });
  }
}
