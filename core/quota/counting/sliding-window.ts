// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import { fittingAmount, leastAmount, neverAfterMs } from "./fitting-amount.ts";
import type { QuotaGrant } from "../quota.ts";

/**
 * A window that rolls in slots, as in Mixer's memquota. Never more than the limit is used within any
 * `windowMs`, which the common estimate from two counters cannot guarantee; the price is that a unit is freed
 * up to one slot late.
 *
 * Why leases are safe: a grant is counted in the slot that contains its lease's end, and dropped only when
 * that whole slot is older than the window. Take any interval as long as the window, and of the grants used
 * in it the last granted one, at time a. The others were used inside the interval, so their slots end after
 * its beginning, which is less than a window before a: at a all of them were still counted, and with the last
 * they did not exceed the limit.
 */
export interface SlidingWindowState {
  /** Slot numbers since the epoch, ascending; mostly slots with a count. */
  readonly slots: number[];
  /** The count of each slot. */
  readonly counts: number[];
  /** The sum of `counts`. */
  used: number;
}

/**
 * 32 slots: a unit is freed at most 3 % of a window late, and a state with leases a whole window ahead stays
 * below 70 pairs. Windows below 32 ms have slots of a millisecond, the clock's resolution.
 */
const SLOTS_PER_WINDOW = 32;

export const slidingWindow: QuotaCounter<SlidingWindowState> = {
  create: () => ({ slots: [], counts: [], used: 0 }),
  copy: (state) => ({ slots: [...state.slots], counts: [...state.counts], used: state.used }),

  charge(state: SlidingWindowState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    const slotMs = Math.ceil(windowMs / SLOTS_PER_WINDOW);
    forgetOldSlots(state, nowMs, windowMs, slotMs);
    const leaseMs = Math.min(demand.leaseMs, windowMs);
    let slot = Math.floor((nowMs + leaseMs) / slotMs);
    let granted: number;
    if (amount < 0) {
      slot = demand.slot ?? -1;
      granted = 0 - giveBack(state, slot, -amount);
    } else {
      granted = fittingAmount(demand, Math.max(0, limit - state.used));
      if (granted > 0) count(state, slot, granted);
    }
    return {
      granted,
      remaining: Math.max(0, limit - state.used),
      resetMs: state.used > 0 ? freedAtMs(state.slots.at(-1) as number, windowMs, slotMs) - nowMs : 0,
      retryAfterMs:
        granted !== 0 || amount <= 0 ? 0 : neverAfterMs(demand) || untilFree(state, demand, slotMs) - nowMs,
      validForMs: granted > 0 ? leaseMs : 0,
      slot,
    };
  },
};

/** Time at which a slot's count is free again: its last millisecond is then a whole window ago. */
function freedAtMs(slot: number, windowMs: number, slotMs: number): number {
  return (slot + 1) * slotMs + windowMs;
}

function forgetOldSlots(state: SlidingWindowState, nowMs: number, windowMs: number, slotMs: number): void {
  const { slots, counts } = state;
  while (slots.length > 0 && freedAtMs(slots[0] as number, windowMs, slotMs) <= nowMs) {
    slots.shift();
    state.used -= counts.shift() as number;
  }
  // No lease reaches this far ahead, so the clock went back: these counts move to the latest possible slot.
  const farthest = Math.floor((nowMs + windowMs) / slotMs);
  if (slots.length > 0 && (slots.at(-1) as number) > farthest) {
    slots.splice(0, slots.length, farthest);
    counts.splice(0, counts.length, state.used);
  }
}

function count(state: SlidingWindowState, slot: number, amount: number): void {
  const { slots, counts } = state;
  // Search backwards from the newest slot: more than one step is needed only for leases of different lengths,
  // or after a clock that went back.
  let index = slots.length - 1;
  while (index >= 0 && (slots[index] as number) > slot) index--;
  if (index >= 0 && slots[index] === slot) counts[index] = (counts[index] as number) + amount;
  else {
    slots.splice(index + 1, 0, slot);
    counts.splice(index + 1, 0, amount);
  }
  state.used += amount;
}

function giveBack(state: SlidingWindowState, slot: number, amount: number): number {
  const index = state.slots.lastIndexOf(slot);
  if (index === -1) return 0;
  const held = state.counts[index] as number;
  const taken = Math.min(held, amount);
  if (taken === held) {
    state.slots.splice(index, 1);
    state.counts.splice(index, 1);
  } else {
    state.counts[index] = held - taken;
  }
  state.used -= taken;
  return taken;
}

/** Time until the oldest slots have freed enough for the demand. */
function untilFree(state: SlidingWindowState, demand: QuotaDemand, slotMs: number): number {
  let missing = leastAmount(demand) - (demand.limit - state.used);
  let index = 0;
  while (missing > (state.counts[index] as number)) missing -= state.counts[index++] as number;
  return freedAtMs(state.slots[index] as number, demand.windowMs, slotMs);
}
