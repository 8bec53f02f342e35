// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Token } from "../../errors/expression-error.ts";

/** Position and token of a call in the source, which the errors of the call report. */
export interface CallSite {
  readonly position: number;
  readonly token: Token | undefined;
  /** True within the right side of `and` and `or`, which claim every error in it. */
  readonly claims?: boolean;
  /**
   * True for a tail call: in the reference the lambda has returned by then, so that the call's errors are not
   * the lambda's.
   */
  readonly inTail?: boolean;
}

/**
 * The last call of each named function in the current evaluation. The reference stores the call site on the
 * function: an error of an outer call reports the function's last call, even if that was an inner call.
 */
export class CallSites {
  // A linear search: an expression calls few functions, and a Map would have to be cleared for each
  // evaluation.
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
