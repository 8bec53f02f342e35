// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Estimates the demand of the last second, as a sliding window over two buckets: the current second's count,
 * plus the share of the previous second that is still in the window. It begins low, so that a lease is never
 * larger than the demand really seen.
 */
export class DemandMeter {
  #second = 0;
  #current = 0;
  #previous = 0;

  add(amount: number, nowMs: number): void {
    this.#roll(nowMs);
    this.#current += amount;
  }

  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    return this.#current + this.#previous * (1 - (nowMs % 1000) / 1000);
  }

  #roll(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    this.#previous = second === this.#second + 1 ? this.#current : 0;
    this.#current = 0;
    this.#second = second;
  }
}
