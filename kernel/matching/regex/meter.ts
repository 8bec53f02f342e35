// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** What is told of the work that a match takes, as it goes on, and may end it by throwing. */
export interface Meter {
  /** @param steps Of some 50 ns each. */
  tick(steps: number): void;
}

/** Ends what takes more than `limit` steps from its last start, with the error that `onExceeded` makes. */
export class StepBudget implements Meter {
  readonly #limit: number;
  readonly #onExceeded: () => Error;
  #left: number;

  constructor(limit: number, onExceeded: () => Error) {
    this.#limit = limit;
    this.#onExceeded = onExceeded;
    this.#left = limit;
  }

  start(): void {
    this.#left = this.#limit;
  }

  tick(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw this.#onExceeded();
  }
}

/** States that a machine goes through in the time of a step. */
export const STATES_PER_STEP = 2;
/** Characters for which a machine that has met their like before needs as long. */
export const CHARS_PER_STEP = 4;
/** Steps that JavaScript's own engine does in the time of a step of an expression. */
export const NATIVE_STEPS_PER_STEP = 16;
