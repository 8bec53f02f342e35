// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { behindView } from "../runtime/reads/recorder.ts";
import { ExpressionError } from "../errors/expression-error.ts";

/** What one evaluation may use before it fails. */
export interface ExpressionLimits {
  /** Time of all the expressions of one request together, in milliseconds; default 30, so that none blocks the loop for 50. */
  readonly timeoutMs: number;
  /** Work of all the expressions of one request together: see Guard.tick; default 200,000 steps, which take some 25 ms. */
  readonly steps: number;
  /** Nested calls and sub-expressions; default 200. */
  readonly depth: number;
  /** Items of a sequence, and matches of a regular expression; default 10,000. */
  readonly items: number;
  /** The weight of any one value: characters, items and properties together; default 1 Mi. */
  readonly weight: number;
}

export const DEFAULT_EXPRESSION_LIMITS: ExpressionLimits = {
  timeoutMs: 25,
  steps: 200_000,
  depth: 200,
  items: 10_000,
  weight: 1_048_576,
};

/** JSONata's code for what outgrows a limit. */
export const TOO_LARGE = "D2015";

export function tooLarge(what: string): ExpressionError {
  return new ExpressionError(TOO_LARGE, what);
}

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
    // Until it is known: JSONata cannot make a cycle, but a weight must end whatever it meets.
    this.#known.set(plain, 1);
    let weight = 1;
    if (Array.isArray(plain)) for (const item of plain) weight += this.weigh(item);
    else for (const [key, member] of Object.entries(plain)) weight += key.length + this.weigh(member);
    this.#known.set(plain, weight);
    return weight;
  }
}

/** Whether JSONata would call `value` a function. A view never is one. */
export function isFunctionObject(value: object): boolean {
  const marks = value as { readonly _jsonata_lambda?: unknown; readonly _jsonata_function?: unknown };
  return marks._jsonata_lambda === true || marks._jsonata_function === true;
}
