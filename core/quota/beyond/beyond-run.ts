// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BeyondStep, QuotaCharge, SetHeader, SingleCharge } from "../quota-charge.ts";
import type { QuotaRefusal } from "../refusal.ts";
import type { BeyondEvent } from "./beyond-event.ts";

/** The next action for a request of which a charge was refused. */
export type NextStep =
  /** Make `charges` anew, all or none. */
  | { readonly kind: "charge" }
  /** Wait until `charge` can be made, at most until `deadlineMs` on the caller's clock; then make `charges`. */
  | {
      readonly kind: "wait";
      readonly charge: SingleCharge;
      readonly deadlineMs: number;
      readonly length: number;
      readonly retryAfterMs: number;
    }
  /** Refuse the request: no step helps. */
  | { readonly kind: "refuse"; readonly refusal: QuotaRefusal<SingleCharge> };

/** One charge of the decision, and what has become of it. */
interface Slot {
  readonly written: QuotaCharge;
  /** The charge to make; undefined when the request is degraded instead. */
  current: SingleCharge | undefined;
  /** Position of the next step in `written.beyond`. */
  next: number;
  /** End of the wait; undefined before it begins and after the queue was left in vain. */
  deadlineMs: number | undefined;
  waited: "no" | "yes" | "in vain";
  headers: readonly SetHeader[];
  /** The first refusal of the charge as written: the answer to a request that no step helps. */
  refusal: QuotaRefusal<SingleCharge> | undefined;
}

/** Whether a charge has steps for the time when its limit is reached. */
export function goesBeyond({ mode, beyond }: Pick<QuotaCharge, "mode" | "beyond">): boolean {
  return mode === "enforce" && beyond !== undefined;
}

/**
 * One request on its way through the steps of its charges, in order: the first step that helps decides. The
 * caller makes `charges`, all or none, and asks `next` after each refusal; every request ends, because each
 * step is taken once, and a queue's wait ends at its deadline.
 */
export class BeyondRun {
  readonly #slots: readonly Slot[];

  /** @param charges The enforced charges of the decision. */
  constructor(charges: readonly QuotaCharge[]) {
    this.#slots = charges.map((written) => ({
      written,
      current: written,
      next: 0,
      deadlineMs: undefined,
      waited: "no",
      headers: [],
      refusal: undefined,
    }));
  }

  /** The charges to make now, in document order. */
  get charges(): readonly SingleCharge[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  /**
   * For each charge of the decision, the charges that it has become, for the RateLimit fields and the ledger:
   * a charge that another one or nothing replaces stands first, with an amount of 0.
   */
  get become(): readonly (readonly SingleCharge[])[] {
    return this.#slots.map(({ written, current }) => {
      if (current === written) return [written];
      const replaced = { ...written, amount: 0 };
      return current === undefined ? [replaced] : [replaced, current];
    });
  }

  /** Headers to set on the request. */
  get headers(): readonly SetHeader[] {
    return this.#slots.flatMap(({ current, headers }) => (current === undefined ? headers : []));
  }

  /** Effects on the request, in document order. @param admitted Whether `charges` have been made. */
  events(admitted: boolean): readonly BeyondEvent[] {
    return this.#slots.flatMap(({ written: { policy }, current, waited, written }) => {
      const events: BeyondEvent[] = [];
      if (waited === "in vain") events.push({ policy, effect: "timed out" });
      if (!admitted) return events;
      if (current === undefined) events.push({ policy, effect: "degraded" });
      else if (current !== written) events.push({ policy, effect: "drawn", from: current.policy });
      else if (waited === "yes") events.push({ policy, effect: "queued" });
      return events;
    });
  }

  /**
   * The next step after a refusal.
   *
   * @param refusal Its charge is one of `charges`.
   * @param nowMs On the clock of `deadlineMs`; undefined for a caller that cannot wait, which skips queues.
   */
  next(refusal: QuotaRefusal<SingleCharge>, nowMs: number | undefined): NextStep {
    const slot = this.#slots.find(({ current }) => current === refusal.charge);
    if (slot === undefined) throw new RangeError(`${refusal.charge.policy} is none of the request's charges`);
    if (slot.current === slot.written) slot.refusal ??= refusal;
    // A store that could not count, or a count that an operator has blocked, is no limit that is reached.
    const isLimit = refusal.failure === undefined && refusal.blocked === undefined;
    if (!isLimit && slot.current === slot.written) return { kind: "refuse", refusal };
    const { beyond = [] } = slot.written;
    for (; slot.next < beyond.length; slot.next++) {
      const step = beyond[slot.next] as BeyondStep;
      if (step.kind === "queue") {
        const wait = nowMs === undefined ? undefined : waitIn(slot, step, refusal, nowMs);
        if (wait !== undefined) return wait;
        continue;
      }
      slot.next++;
      if (step.kind === "draw") slot.current = step.charge;
      else {
        slot.current = undefined;
        slot.headers = step.headers;
      }
      return { kind: "charge" };
    }
    return { kind: "refuse", refusal: slot.refusal ?? refusal };
  }

  /** The request got no place in the queue of `charge`, or left it in vain: that queue is not tried again. */
  leaveQueue(charge: SingleCharge, waited: boolean): void {
    const slot = this.#slots.find(({ written }) => written === charge);
    if (slot === undefined) return;
    slot.next++;
    slot.deadlineMs = undefined;
    slot.waited = waited ? "in vain" : "no";
  }
}

/** Whether time alone frees the quota, so that the store's delay says when; otherwise requests free it by ending. */
function isFreedByTime({ algorithm, giveBackOn, settlement }: SingleCharge): boolean {
  const returned = algorithm === "concurrency" || algorithm === "allocation";
  return !returned && giveBackOn === undefined && settlement === undefined;
}

/** The wait in a queue; undefined when it cannot help. A request that comes back to it has the rest of its time. */
function waitIn(
  slot: Slot,
  { atMostMs, length }: Extract<BeyondStep, { readonly kind: "queue" }>,
  { charge, retryAfterMs }: QuotaRefusal<SingleCharge>,
  nowMs: number,
): NextStep | undefined {
  const first = slot.deadlineMs === undefined;
  const deadlineMs = slot.deadlineMs ?? nowMs + atMostMs;
  // After a draw, the delay is that of the other quota.
  const delayMs = charge === slot.written ? retryAfterMs : (slot.refusal?.retryAfterMs ?? 0);
  if (nowMs >= deadlineMs || (first && delayMs > atMostMs && isFreedByTime(slot.written))) {
    if (!first) slot.waited = "in vain";
    slot.deadlineMs = undefined;
    return undefined;
  }
  slot.current = slot.written;
  slot.deadlineMs = deadlineMs;
  slot.waited = "yes";
  return { kind: "wait", charge: slot.written, deadlineMs, length, retryAfterMs: delayMs };
}
