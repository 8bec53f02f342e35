// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A grant, or what is left of it. */
export interface Lot {
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

/** An amount taken from a lot, so that it can go back there. */
export interface Part {
  readonly lot: Lot;
  readonly amount: number;
}

/** Unused amounts go back so long before they expire; sooner by a quarter of shorter leases. */
const GIVE_BACK_MARGIN_MS = 100;

/** What is held of one count, the oldest first. Few at any time: what is used up is gone. */
export class Lots {
  #lots: Lot[] = [];

  add(lot: Lot): void {
    this.#lots.push(lot);
  }

  remove(lot: Lot): void {
    this.#lots = this.#lots.filter((other) => other !== lot);
  }

  /** How much may be used now. What has expired is dropped: the store has counted it as used. */
  available(nowMs: number): number {
    let sum = 0;
    let expired = false;
    for (const lot of this.#lots) {
      if (lot.expiresAtMs < nowMs) expired = true;
      else sum += lot.amount;
    }
    if (expired) this.#lots = this.#lots.filter((lot) => lot.expiresAtMs >= nowMs);
    return sum;
  }

  /** Takes what `available` has just said is there; notes in `parts` what from where. */
  take(amount: number, parts?: Part[]): void {
    let missing = amount;
    while (missing > 0) {
      const lot = this.#lots[0] as Lot;
      const part = Math.min(lot.amount, missing);
      parts?.push({ lot, amount: part });
      lot.amount -= part;
      missing -= part;
      if (lot.amount === 0) this.#lots.shift();
    }
  }

  /** Undoes a `take`; returns what cannot be kept, because it was to be used at once or has expired. */
  putBack(parts: readonly Part[], nowMs: number): readonly Lot[] {
    const homeless: Lot[] = [];
    for (const { lot, amount } of parts) {
      if (lot.leaseMs > 0 && lot.expiresAtMs > nowMs) {
        if (lot.amount === 0) this.#lots.unshift(lot);
        lot.amount += amount;
      } else {
        homeless.push({ ...lot, amount });
      }
    }
    return homeless;
  }

  /** Takes out what must go back by now; everything when `nowMs` is infinite. */
  takeExpiring(nowMs: number): readonly Lot[] {
    const expiring = this.#lots.filter((lot) => giveBackAtMs(lot) <= nowMs);
    if (expiring.length > 0) this.#lots = this.#lots.filter((lot) => giveBackAtMs(lot) > nowMs);
    return expiring;
  }

  /** When something must go back; undefined when nothing is held. */
  get giveBackAtMs(): number | undefined {
    return this.#lots.length === 0 ? undefined : Math.min(...this.#lots.map(giveBackAtMs));
  }
}

function giveBackAtMs({ expiresAtMs, leaseMs }: Lot): number {
  return expiresAtMs - Math.min(GIVE_BACK_MARGIN_MS, leaseMs / 4);
}
