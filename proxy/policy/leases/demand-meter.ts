// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const SECOND_MS = 1_000;

/**
 * Estimates the demand of the last second, as a sliding window over two buckets: the current second's count,
 * plus the share of the previous second that is still in the window. It begins low, so that a lease is never
 * larger than the demand really seen.
 */
export class DemandMeter {
  /** Beginning of the current second. */
  #startMs = 0;
  #current = 0;
  #previous = 0;

  add(amount: number, nowMs: number): void {
    this.#roll(nowMs);
    this.#current += amount;
  }

  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    return this.#current + this.#previous * (1 - (nowMs - this.#startMs) / SECOND_MS);
  }

  #roll(nowMs: number): void {
    const elapsedMs = nowMs - this.#startMs;
    if (elapsedMs >= 0 && elapsedMs < SECOND_MS) return;
    const startMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
    this.#previous = startMs === this.#startMs + SECOND_MS ? this.#current : 0;
    this.#current = 0;
    this.#startMs = startMs;
  }
}
