// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../kernel/ports.ts";
import { textHash } from "../../kernel/text-hash.ts";
import type { QuotaOutcome } from "./quota-charge.ts";
import { type HeavyHitter, SpaceSaving } from "./space-saving.ts";

/** Number of keys in a sketch. */
export const TOP_KEYS_CAPACITY = 100;

/** Length of a period, in milliseconds: a sketch begins anew after it, so that yesterday's keys do not hide today's. */
export const TOP_KEYS_PERIOD_MS = 3_600_000;

/** Most policies with sketches; with keys of the greatest length, all sketches of a policy hold 200 KB. */
const MAX_POLICIES = 1_000;

/** Longer names of counts are cut, and told apart by a hash: they have client input in them. */
const MAX_NAME_LENGTH = 512;

/** The largest keys of one period. */
export interface TopPeriod {
  /** Beginning of the period, in milliseconds before now. */
  readonly agoMs: number;
  /** Whether the period still goes on. */
  readonly current: boolean;
  readonly charged: TopAmounts;
  readonly refused: TopAmounts;
}

export interface TopAmounts {
  /** The sum over all keys. */
  readonly total: number;
  /** Largest possible overestimation of any entry: total / 100; 0 while every key has a place. */
  readonly overAtMost: number;
  /** By name of the count, largest amount first. */
  readonly entries: readonly HeavyHitter[];
}

interface Sketches {
  readonly startMs: number;
  readonly charged: SpaceSaving;
  readonly refused: SpaceSaving;
}

interface PolicyTop {
  current: Sketches;
  previous: Sketches | undefined;
}

/**
 * The keys of each QuotaPolicy that are charged most, and refused most often: two sketches of 100 keys for each policy and
 * hour, the current hour and the one before. Amounts are as granted, whatever is given back later; a lease that is granted to a
 * proxy counts at once. A refusal counts 1.
 */
export class TopKeys {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #policies = new Map<string, PolicyTop>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Takes in the outcome of a charge of `amount`; a give-back, and an outcome that no store counted, changes nothing. */
  observe({ policy, cell, granted, retryAfterMs, failure }: QuotaOutcome, amount: number): void {
    if (amount <= 0 || (failure !== undefined && failure.applied !== "local")) return;
    if (granted <= 0 && retryAfterMs <= 0) return;
    const sketches = this.#sketchesOf(policy, this.#clock.monotonicMs());
    if (granted > 0) sketches?.charged.add(boundedName(cell), granted);
    else sketches?.refused.add(boundedName(cell), 1);
  }

  /** Drops the policies that are no longer in force. */
  keepOnly(policies: ReadonlySet<string> | ReadonlyMap<string, unknown>): void {
    for (const policy of this.#policies.keys()) if (!policies.has(policy)) this.#policies.delete(policy);
  }

  /** The current period, then the one before it; empty when nothing was observed of the policy in either. */
  periodsOf(policy: string, count: number): readonly TopPeriod[] {
    const top = this.#policies.get(policy);
    if (top === undefined) return [];
    const nowMs = this.#clock.monotonicMs();
    turn(top, nowMs);
    return [top.current, top.previous].flatMap((sketches) =>
      sketches === undefined
        ? []
        : [
            {
              agoMs: Math.round(nowMs - sketches.startMs),
              current: sketches === top.current,
              charged: amountsOf(sketches.charged, count),
              refused: amountsOf(sketches.refused, count),
            },
          ],
    );
  }

  #sketchesOf(policy: string, nowMs: number): Sketches | undefined {
    let top = this.#policies.get(policy);
    if (top === undefined) {
      if (this.#policies.size >= MAX_POLICIES) return undefined;
      top = { current: newSketches(nowMs), previous: undefined };
      this.#policies.set(policy, top);
    }
    turn(top, nowMs);
    return top.current;
  }
}

/** Begins a new period when the current one is over. */
function turn(top: PolicyTop, nowMs: number): void {
  const ageMs = nowMs - top.current.startMs;
  if (ageMs < TOP_KEYS_PERIOD_MS) return;
  top.previous = ageMs < 2 * TOP_KEYS_PERIOD_MS ? top.current : undefined;
  top.current = newSketches(nowMs);
}

function newSketches(startMs: number): Sketches {
  return {
    startMs,
    charged: new SpaceSaving(TOP_KEYS_CAPACITY),
    refused: new SpaceSaving(TOP_KEYS_CAPACITY),
  };
}

function amountsOf(sketch: SpaceSaving, count: number): TopAmounts {
  const all = sketch.top(TOP_KEYS_CAPACITY);
  const isExact = all.every(({ over }) => over === 0);
  return {
    total: sketch.total,
    overAtMost: isExact ? 0 : sketch.total / TOP_KEYS_CAPACITY,
    entries: all.slice(0, count),
  };
}

function boundedName(cell: string): string {
  if (cell.length <= MAX_NAME_LENGTH) return cell;
  return `${cell.slice(0, MAX_NAME_LENGTH)}…#${textHash(cell)}`;
}
