// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Receives the work of a match while it goes on, and may end the match by throwing. */
export interface Meter {
  /** @param steps Steps of about 50 ns each. */
  tick(steps: number): void;
}

/** Throws the error of `onExceeded` when more than `limit` steps were charged since the last start(). */
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

/** Automaton states that a machine visits in the time of a step. */
export const STATES_PER_STEP = 2;
/** Characters that a machine with filled tables reads in the time of a step. */
export const CHARS_PER_STEP = 4;
/** Steps of JavaScript's own engine in the time of a step of an expression. */
export const NATIVE_STEPS_PER_STEP = 16;
