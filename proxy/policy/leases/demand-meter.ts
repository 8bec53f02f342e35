// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * How much was wanted in the last second: this second's count, and of the one before it the share that is still within
 * reach. Low at first, so that a lease is never larger than what was really seen.
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
