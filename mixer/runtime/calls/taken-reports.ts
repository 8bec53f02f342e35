// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";

/**
 * Maximum number of ids remembered; at 100 bags a report, enough for the last million requests. Eviction:
 * least recently used.
 */
const MAX_IDS = 10_000;

/** The reports that this mixer has accepted or is accepting, by id, so that a repeated report counts once. */
export class TakenReports {
  readonly #outcomes = new LRUCache<string, { readonly outcome: MaybePromise<void> }>({ max: MAX_IDS });

  /**
   * Runs `take` unless the id was taken before: then the outcome is the first call's. A report that failed is
   * forgotten, so that it can be repeated.
   *
   * @param id Deduplication id; undefined for a report without one, which always counts.
   */
  once(id: string | undefined, take: () => MaybePromise<void>, onRepeat: () => void): MaybePromise<void> {
    if (id === undefined) return take();
    const known = this.#outcomes.get(id);
    if (known !== undefined) {
      onRepeat();
      return known.outcome;
    }
    const outcome = take();
    this.#outcomes.set(id, { outcome });
    if (isPromise(outcome)) outcome.catch(() => this.#outcomes.delete(id));
    return outcome;
  }
}
