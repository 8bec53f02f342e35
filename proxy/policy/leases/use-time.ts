// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MAX_USE_WITHIN_MS } from "../../../api/mixer-service.ts";

/** Time allowed to the first grant, before any round trip was measured. */
const FIRST_USE_MS = 100;
/** The store counts whole milliseconds where ours are finer, and the reply is processed after its arrival. */
const MARGIN_MS = 2;
/** Decay of the longest round trip: each later one forgets a tenth of it. */
const KEPT = 0.9;

/**
 * How long a grant that is used as soon as it arrives must hold, from the moment it was asked for: twice the longest
 * round trip of late. The store counts a grant as used at the end of that time; an answer that comes later is given back.
 */
export class UseTime {
  /** Undefined until the first answer. */
  #longestMs: number | undefined;

  /** 0 with a mixer in the same process, which answers before the asking returns. */
  get ms(): number {
    if (this.#longestMs === undefined) return FIRST_USE_MS;
    if (this.#longestMs === 0) return 0;
    return Math.min(MAX_USE_WITHIN_MS, Math.ceil(2 * this.#longestMs) + MARGIN_MS);
  }

  /** @param roundTripMs 0 for an answer that was there before the asking returned. */
  note(roundTripMs: number): void {
    this.#longestMs = Math.max(roundTripMs, (this.#longestMs ?? 0) * KEPT);
  }
}
