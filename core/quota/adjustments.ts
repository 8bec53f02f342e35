// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import type { Clock } from "../../kernel/ports.ts";
import { policyOfCell } from "./cell-name.ts";
import { type AdjustmentKind, MAX_ADJUSTMENTS, type QuotaAdjustment } from "./quota-view.ts";

/** The effect of a count's adjustments on its charges now. */
export interface AdjustmentEffect {
  /** The limit of a raise; a charge with a higher limit keeps its own. */
  readonly raisedTo?: number;
  /** Time for which every charge is refused, in milliseconds. */
  readonly blockedForMs?: number;
}

/** The source of the adjustments that only this process keeps. */
export const OWN_ADJUSTMENTS = "";

interface Kept {
  readonly adjustment: QuotaAdjustment;
  /** On the monotonic clock. */
  readonly endsAtMs: number;
}

/** The adjustments of one source, by count and kind. */
type Source = Map<string, Map<AdjustmentKind, Kept>>;

/**
 * The adjustments that a mixer applies: its own, and a copy of those in each shared store. An adjustment that has ended is without effect at
 * once, and is dropped later.
 */
export class Adjustments {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sources = new Map<string, Source>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /**
   * The effect on a count in `store`; undefined when there is none. Nearly every call ends at the first comparison.
   */
  effectOn(cell: string, store: string): AdjustmentEffect | undefined {
    if (this.#sources.size === 0) return undefined;
    const own = this.#sources.get(OWN_ADJUSTMENTS)?.get(cell);
    const shared = this.#sources.get(store)?.get(cell);
    if (own === undefined && shared === undefined) return undefined;
    let effect: { raisedTo?: number; blockedForMs?: number } | undefined;
    for (const kept of [...(own?.values() ?? []), ...(shared?.values() ?? [])]) {
      const leftMs = this.#leftMs(kept);
      if (leftMs <= 0) continue;
      const { kind, limit } = kept.adjustment;
      effect ??= {};
      if (kind === "raise") effect.raisedTo = Math.max(limit, effect.raisedTo ?? 0);
      else effect.blockedForMs = Math.max(leftMs, effect.blockedForMs ?? 0);
    }
    return effect;
  }

  /**
   * Keeps an adjustment in `source`, in place of the one of the same kind and count.
   *
   * @throws {PurserError} PURSER_QUOTA_ADJUSTMENTS_FULL.
   */
  put(source: string, adjustment: QuotaAdjustment): void {
    const { kind, cell } = adjustment;
    const known = this.list(source);
    const replaces = known.some((other) => other.kind === kind && other.cell === cell);
    if (known.length >= MAX_ADJUSTMENTS && !replaces) throw adjustmentsFull();
    this.replace(source, [
      ...known.filter((other) => other.kind !== kind || other.cell !== cell),
      adjustment,
    ]);
  }

  /** Ends an adjustment; false when it was not in force. */
  remove(source: string, kind: AdjustmentKind, cell: string): boolean {
    const known = this.list(source);
    const left = known.filter((other) => other.kind !== kind || other.cell !== cell);
    this.replace(source, left);
    return left.length < known.length;
  }

  /** Replaces all adjustments of a source. */
  replace(source: string, adjustments: readonly QuotaAdjustment[]): void {
    const nowMs = this.#clock.monotonicMs();
    const kept: Source = new Map();
    for (const adjustment of adjustments) {
      const kinds = kept.get(adjustment.cell) ?? new Map<AdjustmentKind, Kept>();
      kinds.set(adjustment.kind, { adjustment, endsAtMs: nowMs + adjustment.leftMs });
      kept.set(adjustment.cell, kinds);
    }
    if (kept.size === 0) this.#sources.delete(source);
    else this.#sources.set(source, kept);
  }

  /** Drops the sources that are not in `sources`, other than this process's own. */
  keepOnly(sources: ReadonlySet<string>): void {
    for (const source of this.#sources.keys())
      if (source !== OWN_ADJUSTMENTS && !sources.has(source)) this.#sources.delete(source);
  }

  /** The adjustments of a source that are in force, of one policy or of all, with the time left to them. */
  list(source: string, policy?: string): readonly QuotaAdjustment[] {
    const adjustments: QuotaAdjustment[] = [];
    for (const kinds of this.#sources.get(source)?.values() ?? []) {
      for (const kept of kinds.values()) {
        const leftMs = this.#leftMs(kept);
        if (leftMs <= 0 || (policy !== undefined && policyOfCell(kept.adjustment.cell) !== policy)) continue;
        adjustments.push({ ...kept.adjustment, leftMs });
      }
    }
    return adjustments;
  }

  #leftMs({ endsAtMs }: Kept): number {
    return Math.ceil(endsAtMs - this.#clock.monotonicMs());
  }
}

export function adjustmentsFull(): PurserError {
  return new PurserError(
    "PURSER_QUOTA_ADJUSTMENTS_FULL",
    `${MAX_ADJUSTMENTS} raises and blocks are in force already`,
  );
}
