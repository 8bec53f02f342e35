// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../kernel/ports.ts";
import type { NameLookup } from "./name-lookup.ts";

/** `no_address` is an answer: there is no such name, or it has no address. */
export type LookupResult = "success" | "no_address" | "failure";

/** A lookup that tells the result and the duration of each call. */
export function countedLookup(
  lookUp: NameLookup,
  clock: Pick<Clock, "monotonicMs">,
  onDone: (result: LookupResult, durationMs: number) => void,
): NameLookup {
  return async (name, call) => {
    const startMs = clock.monotonicMs();
    let result: LookupResult = "failure";
    try {
      const answer = await lookUp(name, call);
      result = answer.addresses.length > 0 ? "success" : "no_address";
      return answer;
    } finally {
      onDone(result, clock.monotonicMs() - startMs);
    }
  };
}
