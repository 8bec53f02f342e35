// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A grant of the store, or what is left of it. */
export interface HeldGrant {
  amount: number;
  /** The last moment at which the grant may be used, on the monotonic clock. */
  readonly expiresAtMs: number;
  readonly slot: number;
  /** The lease time that was asked for, in milliseconds. */
  readonly leaseMs: number;
}

/** The store counts whole milliseconds and this clock finer ones: a grant ends this much early. */
export const CLOCK_STEP_MS = 1;

/**
 * The last moment at which a grant may be used, on the caller's monotonic clock. Counted from the sending of
 * the call, which precedes the store's decision.
 */
export function usableUntilMs({ validForMs }: { readonly validForMs: number }, sentMs: number): number {
  return sentMs + validForMs - CLOCK_STEP_MS;
}

/** An amount taken from a grant, to put it back there if it is not used. */
export interface Part {
  readonly grant: HeldGrant;
  readonly amount: number;
}

/**
 * Unused amounts go back this long before they expire; for short leases, a quarter of the lease time before.
 */
const GIVE_BACK_MARGIN_MS = 100;

/** The grants held for one count, oldest first. There are few at any time: a used-up grant is dropped. */
export class HeldGrants {
  #held: HeldGrant[] = [];
  /**
   * Grants that ended before they went back, because this process was late. They must not be used, but the
   * store still counts them, with a long window for a long time.
   */
  #ended: HeldGrant[] = [];

  add(grant: HeldGrant): void {
    this.#held.push(grant);
  }

  /** Removes a grant, and returns what goes back of it. */
  remove(grant: HeldGrant): HeldGrant {
    this.#held = this.#held.filter((other) => other !== grant);
    return emptied(grant);
  }

  /** The amount that may be used now. */
  available(nowMs: number): number {
    let sum = 0;
    let expired = false;
    for (const grant of this.#held) {
      if (grant.expiresAtMs < nowMs) expired = true;
      else sum += grant.amount;
    }
    if (expired) this.#putAside(nowMs);
    return sum;
  }

  /** Takes an amount that `available` has just returned; appends to `parts` the grants that it came from. */
  take(amount: number, parts?: Part[]): void {
    let missing = amount;
    while (missing > 0) {
      const grant = this.#held[0] as HeldGrant;
      const part = Math.min(grant.amount, missing);
      parts?.push({ grant, amount: part });
      grant.amount -= part;
      missing -= part;
      if (grant.amount === 0) this.#held.shift();
    }
  }

  /**
   * Undoes a `take`. Returns the amounts that cannot be kept: their grants were for immediate use or have
   * expired.
   */
  putBack(parts: readonly Part[], nowMs: number): readonly HeldGrant[] {
    const homeless: HeldGrant[] = [];
    for (const { grant, amount } of parts) {
      if (grant.leaseMs > 0 && grant.expiresAtMs > nowMs) {
        if (grant.amount === 0) this.#held.unshift(grant);
        grant.amount += amount;
      } else {
        homeless.push({ ...grant, amount });
      }
    }
    return homeless;
  }

  /** Removes and returns the grants that must go back by now; all grants when `nowMs` is infinite. */
  takeExpiring(nowMs: number): readonly HeldGrant[] {
    const expiring = this.#held.filter((grant) => giveBackAtMs(grant) <= nowMs);
    if (expiring.length > 0) this.#held = this.#held.filter((grant) => giveBackAtMs(grant) > nowMs);
    const going = [...this.#ended, ...expiring];
    this.#ended = [];
    return going.map(emptied);
  }

  /** Time at which the next grant must go back; undefined when nothing is held. */
  get giveBackAtMs(): number | undefined {
    if (this.#held.length === 0 && this.#ended.length === 0) return undefined;
    return Math.min(...[...this.#ended, ...this.#held].map(giveBackAtMs));
  }

  #putAside(nowMs: number): void {
    this.#ended.push(...this.#held.filter((grant) => grant.expiresAtMs < nowMs));
    this.#held = this.#held.filter((grant) => grant.expiresAtMs >= nowMs);
  }
}

/**
 * The amount of a grant that goes back, which leaves the grant empty: what a request still puts back into it must
 * be held again, or be returned by itself.
 */
function emptied(grant: HeldGrant): HeldGrant {
  const going = { ...grant };
  grant.amount = 0;
  return going;
}

function giveBackAtMs({ expiresAtMs, leaseMs }: HeldGrant): number {
  return expiresAtMs - Math.min(GIVE_BACK_MARGIN_MS, leaseMs / 4);
}
