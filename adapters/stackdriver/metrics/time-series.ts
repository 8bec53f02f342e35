// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext, Clock } from "../../../plugins/sdk/index.ts";
import type { GoogleApi } from "../api/google-api.ts";
import type { Counters } from "../counters.ts";
import type { Origin } from "../resource.ts";
import { refusalsOf } from "./refusals.ts";
import type { SentPoint, Series } from "./series.ts";

/** Maximum number of time series in a call, each with one point (google/monitoring/v3/metric_service.proto). */
export const MAX_SERIES_IN_CALL = 200;

/** Maximum number of times that a call is repeated without the series that the service named as invalid. */
const MAX_REPEATS = 3;

export interface TimeSeriesOptions {
  readonly api: GoogleApi;
  readonly project: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Writes points with timeSeries.create. */
export class TimeSeriesWriter {
  readonly #options: TimeSeriesOptions;

  constructor(options: TimeSeriesOptions) {
    this.#options = options;
  }

  /**
   * Writes one point of each series, at most MAX_SERIES_IN_CALL, and tells each series its outcome. Points that the service refuses
   * are counted and not repeated: the next point of a cumulative series has their numbers too.
   *
   * @throws PurserError when it is not known whether the points were written.
   */
  async write(series: readonly Series[], call: CallContext): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    await this.#write(
      series.flatMap((one) => one.send(nowMs) ?? []),
      call,
      MAX_REPEATS,
    );
  }

  async #write(points: readonly SentPoint[], call: CallContext, repeats: number): Promise<void> {
    if (points.length === 0) return;
    const { api, project, counters } = this.#options;
    const body = JSON.stringify({ timeSeries: points.map((point) => this.#seriesOf(point)) });
    const failure = await api
      .post(`/v3/projects/${project}/timeSeries`, body, call)
      .catch((error: unknown) => {
        counters.points("failed", points.length);
        throw error;
      });
    if (failure === undefined) return this.#written(points);
    const { error } = failure;
    if (error.code === "PURSER_REQUEST_TOO_LARGE" && points.length > 1) {
      const half = Math.ceil(points.length / 2);
      await this.#write(points.slice(0, half), call, repeats);
      return this.#write(points.slice(half), call, repeats);
    }
    const { named, others } = refusalsOf(failure, points.length);
    const rest = points.filter((_, position) => !named.has(position));
    if (error.retryable) {
      // The service may have failed for some of the points only.
      if (others === "written") this.#written(rest);
      counters.points("failed", others === "written" ? named.size : points.length);
      throw error;
    }
    for (const [position, outcome] of named)
      this.#refused(points[position] as SentPoint, outcome, error.message);
    if (others === "written") this.#written(rest);
    else if (others === "not_written" && named.size > 0 && repeats > 0)
      await this.#write(rest, call, repeats - 1);
    else for (const point of rest) this.#refused(point, "refused", error.message);
  }

  #written(points: readonly SentPoint[]): void {
    for (const point of points) point.series.written(point);
    this.#options.counters.points("written", points.length);
  }

  #refused(point: SentPoint, outcome: "too_frequent" | "refused", error: string): void {
    const { counters } = this.#options;
    const { series } = point;
    if (outcome === "too_frequent") series.tooFrequent(point);
    else series.refused();
    counters.points(outcome);
    const message =
      outcome === "too_frequent"
        ? "Cloud Monitoring refused a point because of its time; does anything else write the same series?"
        : "Cloud Monitoring refused a point";
    counters.warnOnce(outcome, message, { metric: series.metric.name, error });
  }

  #seriesOf({ series, value, interval }: SentPoint): unknown {
    const { resource, metricLabels } = this.#options.origin;
    const { metric } = series;
    const labels: Record<string, string> = { ...metricLabels };
    for (const [index, key] of metric.keys.entries()) labels[key] = series.labels[index] ?? "";
    return {
      metric: { type: metric.type, labels },
      resource,
      metricKind: metric.kind,
      valueType: metric.valueType,
      points: [{ interval, value }],
    };
  }
}
