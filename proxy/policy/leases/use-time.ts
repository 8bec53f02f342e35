// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MAX_USE_WITHIN_MS } from "../../../api/mixer-service.ts";

/** Time allowed to the first grant, before any round trip was measured. */
const FIRST_USE_MS = 100;
/** Margin for the store's whole milliseconds, and for the processing of the reply after its arrival. */
const MARGIN_MS = 2;
/** Decay of the longest round trip: each later answer reduces it by a tenth. */
const KEPT = 0.9;

/** Time for which a grant for immediate use is asked, in milliseconds: twice the longest round trip and a margin. */
export function useTimeMs(longestRoundTripMs: number): number {
  return Math.min(MAX_USE_WITHIN_MS, Math.ceil(2 * longestRoundTripMs) + MARGIN_MS);
}

/**
 * How long a grant for immediate use must be valid, counted from the ask: twice the longest recent round
 * trip. The store counts the grant as used at the end of this time; a grant that arrives later is given back.
 */
export class UseTime {
  /** Undefined until the first answer. */
  #longestMs: number | undefined;

  /** 0 with a mixer in the same process, which answers synchronously. */
  get ms(): number {
    if (this.#longestMs === undefined) return FIRST_USE_MS;
    if (this.#longestMs === 0) return 0;
    return useTimeMs(this.#longestMs);
  }

  /** @param roundTripMs 0 for a synchronous answer. */
  note(roundTripMs: number): void {
    this.#longestMs = Math.max(roundTripMs, (this.#longestMs ?? 0) * KEPT);
  }
}
