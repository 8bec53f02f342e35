// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ALLOCATION_IDLE_MS, ALLOCATION_TOUCH_MS } from "../../../core/quota/counting/allocation.ts";
import type { CounterKind } from "../../../core/quota/counting/counter-kind.ts";
import { periodIndex } from "./periods.ts";

/** A grant as the reference remembers it: nothing is ever forgotten. */
export interface LoggedGrant {
  /** Time of the decision. */
  readonly atMs: number;
  /** The lease's end. */
  readonly endMs: number;
  readonly limit: number;
  /** The granted amount. */
  readonly taken: number;
  /** The amount that has not been given back. */
  left: number;
  /** For first-use windows: the number of the window. */
  readonly window: number;
}

/** The amounts that a store may grant: equal for every counter but the token bucket. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/**
 * The meaning of each counter, by brute force: a list of all grants, of which the ones that count are summed up
 * for each question. Shares no arithmetic with the code under test. The clock does not go back.
 */
export class ReferenceCount {
  readonly kind: CounterKind;
  readonly windowMs: number;
  #grants: LoggedGrant[] = [];
  #windows = 0;
  #windowStartMs = 0;
  #touchedMs = 0;

  constructor(kind: CounterKind, windowMs: number) {
    this.kind = kind;
    this.windowMs = windowMs;
  }

  copy(): ReferenceCount {
    const copy = new ReferenceCount(this.kind, this.windowMs);
    copy.#grants = this.#grants.map((grant) => ({ ...grant }));
    copy.#windows = this.#windows;
    copy.#windowStartMs = this.#windowStartMs;
    copy.#touchedMs = this.#touchedMs;
    return copy;
  }

  /** The amount that a demand of `amount` is granted. */
  expected(amount: number, bestEffort: boolean, limit: number, nowMs: number): Range {
    const fitting = (free: number) => (amount <= free ? amount : bestEffort ? free : 0);
    if (this.kind !== "token-bucket") {
      const exact = fitting(Math.max(0, limit - this.used(nowMs)));
      return { least: exact, most: exact };
    }
    const least = fitting(this.#leastTokens(limit, nowMs));
    return { least, most: Math.min(amount, limit) };
  }

  /** The amount in use, by all grants that count now. */
  used(nowMs: number): number {
    return this.#grants.reduce((sum, grant) => sum + (this.#counts(grant, nowMs) ? grant.left : 0), 0);
  }

  /** Notes any demand: it prolongs an allocation's life. */
  touch(nowMs: number, changed: boolean): void {
    if (nowMs - this.#touchedMs >= ALLOCATION_IDLE_MS) for (const grant of this.#grants) this.#forget(grant);
    const idleMs = nowMs - this.#touchedMs;
    if (changed || idleMs >= ALLOCATION_TOUCH_MS || idleMs < 0) this.#touchedMs = nowMs;
  }

  take(taken: number, limit: number, nowMs: number, leaseMs: number): LoggedGrant {
    if (this.used(nowMs) === 0) {
      this.#windows++;
      this.#windowStartMs = nowMs;
    }
    const window = this.#windows;
    const grant = { atMs: nowMs, endMs: nowMs + leaseMs, limit, taken, left: taken, window };
    this.#grants.push(grant);
    return grant;
  }

  /** A grant by its index: the same in a copy. */
  find(index: number): LoggedGrant {
    return this.#grants[index] as LoggedGrant;
  }

  get length(): number {
    return this.#grants.length;
  }

  /** The amount that is taken back of a grant. */
  returned(grant: LoggedGrant, amount: number, nowMs: number): Range {
    const exact = this.#counts(grant, nowMs) ? Math.min(grant.left, amount) : 0;
    return { least: this.kind === "token-bucket" ? 0 : exact, most: Math.min(grant.left, amount) };
  }

  #forget(grant: LoggedGrant): void {
    if (this.kind === "allocation") grant.left = 0;
  }

  #counts({ atMs, endMs, window }: LoggedGrant, nowMs: number): boolean {
    const { kind, windowMs } = this;
    switch (kind) {
      case "fixed-window":
        return Math.floor(atMs / windowMs) === Math.floor(nowMs / windowMs);
      case "calendar-period":
        return periodIndex(atMs, windowMs) === periodIndex(nowMs, windowMs);
      case "first-use-window":
        return window === this.#windows && nowMs < this.#windowStartMs + windowMs;
      case "sliding-log":
        return nowMs < endMs + windowMs;
      case "sliding-window": {
        const slotMs = Math.ceil(windowMs / 32);
        return nowMs < Math.ceil((endMs + 1) / slotMs) * slotMs + windowMs;
      }
      case "allocation":
        return nowMs - this.#touchedMs < ALLOCATION_IDLE_MS;
      case "token-bucket":
        return true;
    }
  }

  /**
   * The tokens that a bucket has at least: as if nothing had been given back. 0 when requests with other limits
   * have shared the count, since a new limit's bucket begins as empty as the others.
   */
  #leastTokens(limit: number, nowMs: number): number {
    if (this.#grants.some((grant) => grant.limit !== limit)) return 0;
    const [rate, windowMs] = [BigInt(limit), BigInt(this.windowMs)];
    // The time at which the bucket is full, times the limit: whole numbers.
    let full = 0n;
    for (const { endMs, taken } of this.#grants) {
      const end = BigInt(endMs) * rate;
      full = (full > end ? full : end) + BigInt(taken) * windowMs;
    }
    const now = BigInt(nowMs) * rate;
    const free = (now + rate * windowMs - (full > now ? full : now)) / windowMs;
    return free < 0n ? 0 : Number(free);
  }
}
