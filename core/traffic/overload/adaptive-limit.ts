// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import type { AdaptiveLimitSettings } from "../resources/overload.ts";

/** Bounds of one change of the limit, as in Envoy's gradient controller. */
const MIN_GRADIENT = 0.5;
const MAX_GRADIENT = 2;

/** Number of changes in a row to the least limit after which the baseline is doubted; Envoy's number. */
const MAX_CHANGES_AT_MINIMUM = 5;

/** Least number of latencies for a change: a percentile of fewer says little. */
const MIN_SAMPLES = 5;

/** Most latencies of one interval: the newest are kept. */
const MAX_SAMPLES = 1_024;

/** Longest measurement of the baseline: few and slow requests must not keep the limit at its minimum. */
const MAX_MEASUREMENT_MS = 2_000;

/**
 * Number of requests that may be under way, by their latencies: the gradient controller of Envoy's adaptive concurrency
 * filter. The baseline is the latency while few requests are under way. The limit is multiplied by baseline ÷ latency
 * after each interval, and the square root of the limit is added, so that it can grow.
 *
 * Three things differ from Envoy. The limit does not grow while less than half of it is used: after a quiet time, a
 * burst would meet a limit that nothing has tested. A baseline is measured with less than half of the limit, and not
 * with the minimum, at which even important requests would be shed: a limit that is too high still shrinks by it, from
 * one measurement to the next. And a measurement ends after two seconds.
 */
export class AdaptiveLimit {
  readonly #random: Random;
  #settings: AdaptiveLimitSettings;
  #limit: number;
  #baselineMs: number | undefined = undefined;
  readonly #samplesMs = new Float64Array(MAX_SAMPLES);
  #sampleCount = 0;
  /** Start of the interval, or of the measurement, under way. */
  #sinceMs: number;
  /** The most requests that were under way in the interval. */
  #peak = 0;
  #changesAtMinimum = 0;
  #measuring = true;
  #nextMeasurementMs = 0;

  /** @param nowMs Monotonic time, here and below. */
  constructor(settings: AdaptiveLimitSettings, random: Random, nowMs: number) {
    this.#settings = settings;
    this.#random = random;
    this.#limit = settings.minConcurrency;
    this.#sinceMs = nowMs;
  }

  /** The number of requests that may be under way now; at least 1. */
  get current(): number {
    if (!this.#measuring) return this.#limit;
    const { minConcurrency, baselineBufferPercent } = this.#settings;
    return Math.max(minConcurrency, Math.floor(this.#limit / (2 * (1 + baselineBufferPercent / 100))));
  }

  /** The latency without overload; undefined before the first measurement. */
  get baselineMs(): number | undefined {
    return this.#baselineMs;
  }

  /** Replaces the settings. What was learnt of the latencies stays. */
  configure(settings: AdaptiveLimitSettings): void {
    this.#settings = settings;
    this.#limit = clamp(this.#limit, settings.minConcurrency, settings.maxConcurrency);
  }

  /** Notes that `active` requests are under way. */
  noteActive(active: number): void {
    if (active > this.#peak) this.#peak = active;
  }

  /** Takes the latency of a request that was sent at `sentMs`. */
  sample(sentMs: number, nowMs: number): void {
    if (this.#measuring) {
      // Requests from before the measurement were among more.
      if (sentMs < this.#sinceMs) return;
      this.#push(nowMs - sentMs);
      this.#endMeasurement(nowMs);
      return;
    }
    this.#push(nowMs - sentMs);
    if (nowMs - this.#sinceMs < this.#settings.updateIntervalMs || this.#sampleCount < MIN_SAMPLES) return;
    this.#change();
    this.#beginInterval(nowMs);
    if (nowMs >= this.#nextMeasurementMs || this.#changesAtMinimum >= MAX_CHANGES_AT_MINIMUM) {
      this.#changesAtMinimum = 0;
      this.#measuring = true;
    }
  }

  #push(latencyMs: number): void {
    this.#samplesMs[this.#sampleCount++ % MAX_SAMPLES] = latencyMs;
  }

  #endMeasurement(nowMs: number): void {
    const { baselineRequests, baselineIntervalMs, baselineJitterPercent } = this.#settings;
    const isLong = nowMs - this.#sinceMs >= MAX_MEASUREMENT_MS && this.#sampleCount >= MIN_SAMPLES;
    if (this.#sampleCount < baselineRequests && !isLong) return;
    this.#baselineMs = this.#percentileMs();
    this.#measuring = false;
    this.#nextMeasurementMs =
      nowMs + baselineIntervalMs * (1 + (baselineJitterPercent / 100) * this.#random());
    this.#beginInterval(nowMs);
  }

  #change(): void {
    const { minConcurrency, maxConcurrency, baselineBufferPercent } = this.#settings;
    const allowedMs = (this.#baselineMs as number) * (1 + baselineBufferPercent / 100);
    const latencyMs = this.#percentileMs();
    const gradient = latencyMs > 0 ? clamp(allowedMs / latencyMs, MIN_GRADIENT, MAX_GRADIENT) : MAX_GRADIENT;
    const scaled = this.#limit * gradient;
    const wanted = clamp(Math.floor(scaled + Math.sqrt(scaled)), minConcurrency, maxConcurrency);
    if (wanted <= this.#limit || this.#peak >= this.#limit / 2) this.#limit = wanted;
    this.#changesAtMinimum = this.#limit === minConcurrency ? this.#changesAtMinimum + 1 : 0;
  }

  #beginInterval(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#sampleCount = 0;
    this.#peak = 0;
  }

  #percentileMs(): number {
    const sorted = this.#samplesMs.slice(0, Math.min(this.#sampleCount, MAX_SAMPLES)).sort();
    const index = Math.ceil((this.#settings.latencyPercentile / 100) * sorted.length) - 1;
    return sorted[Math.max(0, index)] as number;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
