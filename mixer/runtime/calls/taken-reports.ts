// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";

/** Ids remembered; at 100 bags a report, those of the last million requests. Overflow: the least recently used goes. */
const MAX_IDS = 10_000;

/** The reports that this mixer has taken or is taking, by id: a report that is sent again counts once. */
export class TakenReports {
  readonly #outcomes = new LRUCache<string, { readonly outcome: MaybePromise<void> }>({ max: MAX_IDS });

  /**
   * Takes a report, unless it was taken before: then its outcome is the first one's. A report that could not be taken is
   * forgotten.
   *
   * @param id Undefined for a report that is taken whenever it comes.
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
