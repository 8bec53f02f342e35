// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A grant of the store, or the rest of it. */
export interface HeldGrant {
  amount: number;
  /** On the monotonic clock; the last moment at which it may be used. */
  readonly expiresAtMs: number;
  readonly slot: number;
  /** For how long it was asked for. */
  readonly leaseMs: number;
}

/** The store counts whole milliseconds, ours are finer: a grant ends this much early. */
export const CLOCK_STEP_MS = 1;

/**
 * The last moment at which a grant may be used, on the asker's monotonic clock: reckoned from the sending, which is not
 * after the store's decision.
 */
export function usableUntilMs({ validForMs }: { readonly validForMs: number }, sentMs: number): number {
  return sentMs + validForMs - CLOCK_STEP_MS;
}

/** An amount taken from a grant, so that it can go back there. */
export interface Part {
  readonly grant: HeldGrant;
  readonly amount: number;
}

/** Unused amounts go back so long before they expire; sooner by a quarter of shorter leases. */
const GIVE_BACK_MARGIN_MS = 100;

/** The grants that are held of one count, oldest first. There are few at any time: a grant that is used up is dropped. */
export class HeldGrants {
  #held: HeldGrant[] = [];

  add(grant: HeldGrant): void {
    this.#held.push(grant);
  }

  remove(grant: HeldGrant): void {
    this.#held = this.#held.filter((other) => other !== grant);
  }

  /** How much may be used now. What has expired is dropped: the store has counted it as used. */
  available(nowMs: number): number {
    let sum = 0;
    let expired = false;
    for (const grant of this.#held) {
      if (grant.expiresAtMs < nowMs) expired = true;
      else sum += grant.amount;
    }
    if (expired) this.#held = this.#held.filter((grant) => grant.expiresAtMs >= nowMs);
    return sum;
  }

  /** Takes what `available` has just said is there; notes in `parts` what from where. */
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

  /** Undoes a `take`; returns what cannot be kept, because it was to be used at once or has expired. */
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

  /** Takes out what must go back by now; everything when `nowMs` is infinite. */
  takeExpiring(nowMs: number): readonly HeldGrant[] {
    const expiring = this.#held.filter((grant) => giveBackAtMs(grant) <= nowMs);
    if (expiring.length > 0) this.#held = this.#held.filter((grant) => giveBackAtMs(grant) > nowMs);
    return expiring;
  }

  /** When something must go back; undefined when nothing is held. */
  get giveBackAtMs(): number | undefined {
    return this.#held.length === 0 ? undefined : Math.min(...this.#held.map(giveBackAtMs));
  }
}

function giveBackAtMs({ expiresAtMs, leaseMs }: HeldGrant): number {
  return expiresAtMs - Math.min(GIVE_BACK_MARGIN_MS, leaseMs / 4);
}
