// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { textHash } from "../../kernel/text-hash.ts";
import { countingName } from "./counting/counter-kind.ts";
import type { QuotaRequest } from "./quota.ts";

/** The part of a call that one store serves. */
export interface CallPart {
  /** The deduplication id of the whole call: the same for all its retries. */
  readonly call: string;
  /**
   * The purpose of the request, without spaces. A call asks one store at most once for each purpose and set
   * of counts.
   */
  readonly purpose: string;
  /** The store's name. Two stores may share counts, such as two handlers of one Redis. */
  readonly store: string;
}

/**
 * The deduplication id of one request to one store.
 *
 * Stores answer a repeated id with their first answer, so two requests may share an id only when they are
 * equal: the id contains the call, the purpose, the store, and every count with its amount. It does not
 * contain the limit, the bounds of calendar periods or the documents' version: a retry after an edit of the
 * documents or after the end of a period finds its first answer, as long as it is charged to the same counts.
 */
export function callId({ call, purpose, store }: CallPart, requests: readonly QuotaRequest[]): string {
  let hash = 0;
  for (const request of requests) {
    const { cell, amount, slot } = request;
    hash = textHash(`${countingName(request)} ${amount} ${slot ?? ""} ${cell}`, hash);
  }
  // Decimal digits: toString(36) of a number above 2^31 takes 0.4 µs more (measured).
  return `${call} ${purpose} ${hash} ${store}`;
}
