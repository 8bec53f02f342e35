// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Adjustments } from "../../../core/quota/adjustments.ts";
import type { SharedAdjustments } from "../../../core/quota/quota-view.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { Cancel, Logger, Scheduler } from "../../../kernel/ports.ts";

/** Interval at which a mixer reads the adjustments of each shared store, in milliseconds: other mixers make them too. */
export const ADJUSTMENT_REFRESH_MS = 1_000;

export interface AdjustmentRefreshOptions {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly adjustments: Adjustments;
}

/**
 * Keeps a mixer's copy of the adjustments in shared stores. While a store is unavailable, the copy stays in force until the
 * adjustments end.
 */
export class AdjustmentRefresh {
  readonly #options: AdjustmentRefreshOptions;
  readonly #underWay = new Set<string>();
  readonly #failing = new Set<string>();
  #stores: ReadonlyMap<string, SharedAdjustments> = new Map();
  /** Number of changes that this mixer itself made: a read that began before one of them is out of date. */
  #changes = 0;
  #cancel: Cancel | undefined;

  constructor(options: AdjustmentRefreshOptions) {
    this.#options = options;
  }

  /** Reads these stores from now on, in place of the ones before: at once, and then at the interval. */
  watch(stores: ReadonlyMap<string, SharedAdjustments>): void {
    this.#stores = stores;
    this.#options.adjustments.keepOnly(new Set(stores.keys()));
    if (stores.size === 0) return this.close();
    this.#cancel ??= this.#options.scheduler.every(ADJUSTMENT_REFRESH_MS, () => this.#refreshAll());
    this.#refreshAll();
  }

  /** Reads one store. Never rejects. */
  async refresh(store: string): Promise<void> {
    const shared = this.#stores.get(store);
    if (shared === undefined || this.#underWay.has(store)) return;
    this.#underWay.add(store);
    const before = this.#changes;
    const { adjustments, logger } = this.#options;
    try {
      const read = await shared.all();
      // The documents may have changed meanwhile.
      if (this.#stores.get(store) === shared && before === this.#changes) adjustments.replace(store, read);
      this.#failing.delete(store);
    } catch (error) {
      if (!this.#failing.has(store))
        logger.warn("the raises and blocks in a quota store cannot be read; the known ones stay in force", {
          store,
          error: messageOf(error),
        });
      this.#failing.add(store);
    } finally {
      this.#underWay.delete(store);
    }
  }

  /** Called when this mixer has changed a store's adjustments and its copy of them. */
  changed(): void {
    this.#changes++;
  }

  /** Ends the timer. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #refreshAll(): void {
    for (const store of this.#stores.keys()) void this.refresh(store);
  }
}
