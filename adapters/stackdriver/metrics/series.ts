// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { rfc3339 } from "../text.ts";
import type { Metric } from "./metric.ts";
import { PointTimes } from "./point-times.ts";
import { type SeriesValue, type TypedValue, valueOf } from "./values.ts";

/** A point on its way. */
export interface SentPoint {
  readonly series: Series;
  readonly endMs: number;
  readonly value: TypedValue;
  readonly interval: { readonly startTime?: string; readonly endTime: string };
  /** The series' version that the point has. */
  readonly version: number;
}

/** One time series: a metric with values of its labels. */
export class Series {
  /** Type and labels: no two series of a table have the same. */
  readonly identity: string;
  readonly metric: Metric;
  /** Values of the metric's labels, in order. */
  readonly labels: readonly string[];
  readonly times: PointTimes;
  /** Monotonic time of the last report. */
  lastUsedMs: number;
  /** Whether the last push left the series out, or it is not known whether its point was written. */
  isUnwritten = false;
  readonly #value: SeriesValue;
  #version = 0;
  #writtenVersion = 0;
  #refused = false;

  constructor(
    parts: Pick<Series, "identity" | "metric" | "labels" | "lastUsedMs">,
    nowMs: number,
    floorMs: number | undefined,
  ) {
    this.identity = parts.identity;
    this.metric = parts.metric;
    this.labels = parts.labels;
    this.lastUsedMs = parts.lastUsedMs;
    this.times = new PointTimes(nowMs, floorMs);
    this.#value = valueOf(parts.metric);
  }

  /** Whether the series has reports that no written point has. */
  get isChanged(): boolean {
    return this.#version !== this.#writtenVersion;
  }

  /** Whether the service refused the last point. */
  get isRefused(): boolean {
    return this.#refused;
  }

  /** Returns false when the value does not fit. */
  add(value: number, monotonicMs: number): boolean {
    this.lastUsedMs = monotonicMs;
    if (!this.#value.add(value)) return false;
    this.#version++;
    return true;
  }

  /** The next point. From now on it counts as possibly written. Undefined when the clock is beyond every calendar. */
  send(nowMs: number): SentPoint | undefined {
    const { startMs, endMs } = this.times.next(nowMs);
    const startTime = rfc3339(startMs);
    const endTime = rfc3339(endMs);
    if (startTime === undefined || endTime === undefined) return undefined;
    this.times.sent(endMs);
    const interval = this.metric.kind === "GAUGE" ? { endTime } : { startTime, endTime };
    return { series: this, endMs, value: this.#value.typed(), interval, version: this.#version };
  }

  written({ endMs, version }: SentPoint): void {
    this.times.written(endMs);
    this.#writtenVersion = version;
    this.#refused = false;
    if (!this.#value.isNearEnd) return;
    this.times.restart();
    this.#value.restart();
  }

  /** The service refused the point because it has one of about that time; it has seen the series' time so far. */
  tooFrequent({ endMs }: SentPoint): void {
    this.times.written(endMs);
    this.#refused = true;
  }

  /** The service refused the point for another reason. */
  refused(): void {
    this.times.refused();
    this.#refused = true;
  }
}
