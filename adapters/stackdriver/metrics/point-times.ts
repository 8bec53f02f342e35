// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MIN_SPACING_MS } from "../config.ts";

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Start and end times of the points of one time series. Cloud Monitoring takes a point only when it ends MIN_SPACING_MS after
 * the last one, and a CUMULATIVE point only when its start is that of the last one, or is later than the end of the last one.
 * That must hold when the wall clock jumps, and when it is not known whether the last point was written.
 */
export class PointTimes {
  #startMs: number;
  /** End of the last point that was written, or may have been. */
  #lastEndMs: number | undefined;
  /** End of the last point that was certainly written. */
  #writtenEndMs: number | undefined;
  /** End of the last point before `#startMs`. */
  #floorMs: number | undefined;

  /** @param floorMs End of the last point of another series with the same labels, if there may have been one. */
  constructor(nowMs: number, floorMs: number | undefined) {
    this.#floorMs = this.#lastEndMs = this.#writtenEndMs = floorMs;
    this.#startMs = floorMs === undefined ? Math.trunc(nowMs) : Math.max(Math.trunc(nowMs), floorMs + 1);
  }

  get lastEndMs(): number | undefined {
    return this.#lastEndMs;
  }

  /** The interval of the next point. When the clock was set back, points go on from the last one in the smallest steps. */
  next(nowMs: number): Interval {
    const spacedMs =
      this.#lastEndMs === undefined ? Number.NEGATIVE_INFINITY : this.#lastEndMs + MIN_SPACING_MS;
    let endMs = Math.max(Math.trunc(nowMs), spacedMs);
    if (endMs <= this.#startMs) {
      // Until a point is written, its start may still move.
      if (this.#lastEndMs === this.#floorMs)
        this.#startMs = Math.max(endMs - 1, (this.#floorMs ?? endMs - 2) + 1);
      endMs = Math.max(endMs, this.#startMs + 1);
    }
    return { startMs: this.#startMs, endMs };
  }

  /** Whether a point that ends now keeps the distance from the last one. */
  isSpaced(nowMs: number): boolean {
    return this.#lastEndMs === undefined || nowMs - this.#lastEndMs >= MIN_SPACING_MS;
  }

  /** A point is on its way: from now on it may have been written. */
  sent(endMs: number): void {
    this.#lastEndMs = endMs;
  }

  written(endMs: number): void {
    this.#lastEndMs = this.#writtenEndMs = endMs;
  }

  /** The service did not take the point, for another reason than its time. */
  refused(): void {
    this.#lastEndMs = this.#writtenEndMs;
  }

  /** The next point begins a new count, after the last point. */
  restart(): void {
    if (this.#lastEndMs === undefined) return;
    this.#floorMs = this.#lastEndMs;
    this.#startMs = this.#lastEndMs + 1;
  }
}
