// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { tooLarge } from "../errors/too-large.ts";
import { isFunctionObject } from "../runtime/calls/function-marks.ts";
import { behindView } from "../runtime/reads/recorder.ts";

/**
 * Weighs values without reading the bag through its views. A value shared a thousand times within another weighs a
 * thousand times, as it would when written out: that is what keeps `[[$a, $a], [$a, $a]]` and its like in bounds.
 * Remembers arrays and objects, so that weighing every step of an evaluation costs no more than weighing each once.
 */
export class Scales {
  readonly #known = new WeakMap<object, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {ExpressionError} D2015 when `value` weighs more than the limit. */
  check(value: unknown): void {
    if (this.weigh(value) > this.#limit)
      throw tooLarge(`a value weighs more than ${this.#limit} characters and items`);
  }

  weigh(value: unknown): number {
    if (typeof value === "string") return value.length + 1;
    // A function is a JavaScript one, or an object of JSONata's with its whole environment inside.
    if (typeof value !== "object" || value === null || isFunctionObject(value)) return 1;
    const plain = behindView(value);
    const known = this.#known.get(plain);
    if (known !== undefined) return known;
    // A cycle ends here: JSONata can make none, but weighing must end for any value.
    this.#known.set(plain, 1);
    let weight = 1;
    if (Array.isArray(plain)) for (const item of plain) weight += this.weigh(item);
    else for (const [key, member] of Object.entries(plain)) weight += key.length + this.weigh(member);
    this.#known.set(plain, weight);
    return weight;
  }
}
