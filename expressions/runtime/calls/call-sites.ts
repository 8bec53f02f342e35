// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../../errors/expression-error.ts";

/** The place of a call in the source, which the errors of the call report. */
export interface CallSite {
  readonly position: number;
  readonly token: Token | undefined;
  /** Set within the right side of `and` and `or`, which claim every error in it. */
  readonly claims?: boolean;
  /** Set where a lambda ends with the call: for the reference it has returned by then, and its errors are not the lambda's. */
  readonly inTail?: boolean;
}

/**
 * The last call of each named function in the evaluation under way. The reference keeps the place of a call with the function:
 * an error of an outer call is where the function was called last, even by a call within.
 */
export class CallSites {
  // Searched one by one: an expression calls few functions, and a Map would have to be emptied for each evaluation.
  readonly #callees: object[] = [];
  readonly #sites: CallSite[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  set(callee: object, site: CallSite): void {
    let index = 0;
    while (index < this.#count && this.#callees[index] !== callee) index++;
    if (index === this.#count) this.#callees[this.#count++] = callee;
    this.#sites[index] = site;
  }

  of(callee: object): CallSite | undefined {
    for (let index = 0; index < this.#count; index++)
      if (this.#callees[index] === callee) return this.#sites[index];
    return undefined;
  }
}
