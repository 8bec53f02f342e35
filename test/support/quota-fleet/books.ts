// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { findExcess } from "../quota-log.ts";
import { type FleetPolicies, RESERVED } from "./plan.ts";

/** A request that was admitted. */
export interface Admission {
  readonly proxy: number;
  readonly atMs: number;
  /** Ended: the proxy has settled its charges. Crashed: nobody ever will. */
  state: "running" | "ended" | "crashed";
  /** Amounts used; what is reserved until the request ends. */
  calls: number;
  tokens: number;
}

/** Every admitted request, and the limits that they must not exceed together. Knows nothing of leases or stores. */
export class Books {
  readonly #policies: FleetPolicies;
  readonly admissions: Admission[] = [];

  constructor(policies: FleetPolicies) {
    this.#policies = policies;
  }

  admit(proxy: number, atMs: number): Admission {
    const admission: Admission = { proxy, atMs, state: "running", calls: 1, tokens: RESERVED };
    this.admissions.push(admission);
    return admission;
  }

  get running(): readonly Admission[] {
    return this.admissions.filter(({ state }) => state === "running");
  }

  /** The amounts used and reserved of a policy, of all requests. */
  sum(policy: "calls" | "tokens"): number {
    return this.admissions.reduce((sum, admission) => sum + admission[policy], 0);
  }

  /** Asserts that no window has more uses and reservations than its limit. */
  assertWithinLimits(): void {
    const { algorithm, limit, windowMs } = this.#policies;
    for (const policy of ["calls", "tokens"] as const) {
      if (!this.#policies[policy]) continue;
      const uses = this.admissions.map((admission) => ({ atMs: admission.atMs, amount: admission[policy] }));
      assert.equal(findExcess(algorithm, uses, limit, windowMs), undefined, policy);
    }
  }

  /** Asserts that no more requests run than have slots. */
  assertSlots(): void {
    const { slots, slotLimit } = this.#policies;
    const { length } = this.running;
    if (slots) assert.ok(length <= slotLimit, `${length} requests at a time, not ${slotLimit}`);
  }
}
