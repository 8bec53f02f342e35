// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant } from "../../../core/quota/quota.ts";
import { DemandMeter } from "../../../proxy/policy/leases/demand-meter.ts";
import { type HeldGrant, HeldGrants, usableUntilMs } from "../../../proxy/policy/leases/held-grants.ts";
import { MAX_REFUSAL_MS } from "../../../proxy/policy/leases/lease-pool.ts";
import { isLow, isWorthALease, leaseTarget, leaseTimeMs } from "../../../proxy/policy/leases/lease-size.ts";
import { useTimeMs } from "../../../proxy/policy/leases/use-time.ts";
import type { Scenario } from "./scenario.ts";

/** An ask of a proxy to its mixer. */
export interface Ask {
  readonly amount: number;
  readonly leaseMs: number;
  readonly waiters: number;
}

/** The part of a store's answer that matters here. */
export type Answer = Pick<QuotaGrant, "granted" | "remaining" | "retryAfterMs" | "validForMs" | "slot">;

export interface ProxyCountSettings extends Pick<Scenario, "limit" | "proxies" | "leaseMs"> {
  /** Time for which a grant without a lease is asked. */
  readonly useMs: number;
}

export function proxyCountSettings({ limit, proxies, leaseMs, roundTripMs }: Scenario): ProxyCountSettings {
  return { limit, proxies, leaseMs, useMs: useTimeMs(roundTripMs) };
}

/**
 * One count as one proxy holds it: a LeasePool reduced to requests of amount 1. Its sizes and times come from the
 * lease manager's own functions, its demand from the lease manager's own meter, and HeldGrants holds its leases.
 */
export class ProxyCount {
  /** The last time at which something happened here. */
  #usedAtMs = 0;
  /** Made for the first lease: most counts of a large mesh never have one. */
  #leases: HeldGrants | undefined;
  readonly #demand = new DemandMeter();
  #remaining = Number.POSITIVE_INFINITY;
  #refusedUntilMs = 0;
  #waiters = 0;
  #asking = false;

  /** Whether nothing is left here that a new count would not have. */
  isIdle(nowMs: number): boolean {
    return this.#leases?.giveBackAtMs === undefined && !this.#asking && nowMs - this.#usedAtMs > 2_000;
  }

  /** Takes in a request; returns whether it is admitted, refused or waits for an answer. */
  request(nowMs: number): "admitted" | "refused" | "waits" {
    this.#usedAtMs = nowMs;
    this.#demand.add(1, nowMs);
    if (this.#waiters === 0 && this.#leases !== undefined && this.#leases.available(nowMs) > 0) {
      this.#leases.take(1);
      return "admitted";
    }
    if (nowMs < this.#refusedUntilMs) return "refused";
    this.#waiters++;
    return "waits";
  }

  /** The ask to send now; undefined when nothing is needed, or while an answer is awaited. */
  ask(nowMs: number, { limit, proxies, leaseMs: longestMs, useMs }: ProxyCountSettings): Ask | undefined {
    if (this.#asking) return undefined;
    const waiters = this.#waiters;
    const remaining = this.#remaining;
    const leaseMs = leaseTimeMs({ limit, leaseMs: longestMs }, remaining, useMs);
    let ahead = 0;
    if (leaseMs > 0 && (waiters > 0 || nowMs >= this.#refusedUntilMs)) {
      const demandPerS = this.#demand.perSecond(nowMs);
      const target = leaseTarget({ limit, proxies, remaining, demandPerS, leaseMs });
      const available = this.#leases?.available(nowMs) ?? 0;
      if (isWorthALease(target)) {
        if (waiters > 0) ahead = target;
        else if (isLow(available, target)) ahead = target - available;
      }
    }
    if (waiters + ahead === 0) return undefined;
    this.#asking = true;
    return { amount: waiters + ahead, leaseMs: ahead > 0 ? leaseMs : useMs, waiters };
  }

  /**
   * Takes in the answer to an ask; returns how many of its waiters are admitted. The others are refused.
   *
   * @param sentMs The time of the ask.
   */
  answer(ask: Ask, grant: Answer, sentMs: number): number {
    const { granted, remaining, retryAfterMs, slot } = grant;
    this.#asking = false;
    this.#remaining = remaining;
    this.#waiters -= ask.waiters;
    const admitted = Math.min(ask.waiters, granted);
    const amount = granted - admitted;
    if (amount > 0) {
      this.#leases ??= new HeldGrants();
      this.#leases.add({ amount, slot, leaseMs: ask.leaseMs, expiresAtMs: usableUntilMs(grant, sentMs) });
    }
    if (granted === 0) this.#refusedUntilMs = sentMs + Math.min(retryAfterMs, MAX_REFUSAL_MS);
    return admitted;
  }

  /** Time at which the next lease must go back; undefined when nothing is held. */
  get giveBackAtMs(): number | undefined {
    return this.#leases?.giveBackAtMs;
  }

  /** Removes and returns the leases that must go back by now. */
  takeExpiring(nowMs: number): readonly HeldGrant[] {
    return this.#leases?.takeExpiring(nowMs) ?? [];
  }
}
