// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../expression.ts";

/** What one evaluation of a compiled expression may use. Absent: as the reference, bounded by the engine's stack alone. */
export interface GuardLimits {
  /** Nested evaluations, counted as the reference interpreter counts them. */
  readonly depth?: number | undefined;
  /** Calls and turns of loops. */
  readonly steps?: number | undefined;
  /** Items of a sequence. */
  readonly sequence?: number | undefined;
  /** Characters, items and properties of any one value. */
  readonly weight?: number | undefined;
  readonly timeMs?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds that never go back; needed for `timeMs`. */
  readonly monotonicMs?: (() => number) | undefined;
}

/** How many steps may pass between two looks at the clock. */
const STEPS_PER_LOOK = 256;

/** Counts what an evaluation uses, and stops it with JSONata's codes: D1011 too deep, D1012 too long, D2015 too large. */
export class Guard {
  readonly maxSequence: number;
  readonly maxWeight: number;
  readonly maxDepth: number;
  depth = 0;
  readonly #limits: GuardLimits;
  readonly #maxSteps: number;
  readonly #isTimed: boolean;
  #steps = 0;
  #nextLook = Infinity;
  #deadlineMs = Infinity;
  #nowMs: number | undefined;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
    this.maxSequence = limits.sequence ?? Infinity;
    this.maxWeight = limits.weight ?? Infinity;
    this.maxDepth = limits.depth ?? Infinity;
    this.#maxSteps = limits.steps ?? Infinity;
    this.#isTimed = limits.timeMs !== undefined && limits.monotonicMs !== undefined;
  }

  /** The time of the evaluation under way, in milliseconds since the epoch: the same however often it is asked for. */
  get nowMs(): number {
    return (this.#nowMs ??= this.#limits.nowMs());
  }

  /** Begins an evaluation; without `nowMs`, its time is that of the first look at the clock. */
  start(nowMs?: number): void {
    this.#nowMs = nowMs;
    this.depth = 0;
    this.#steps = 0;
    if (this.#isTimed) this.#startTime();
  }

  #startTime(): void {
    const { timeMs, monotonicMs } = this.#limits;
    this.#nextLook = STEPS_PER_LOOK;
    this.#deadlineMs = (monotonicMs as () => number)() + (timeMs as number);
  }

  tick(steps = 1): void {
    this.#steps += steps;
    if (this.#steps > this.#maxSteps)
      throw new ExpressionError("D1012", `the expression took more than ${this.#maxSteps} steps`);
    if (this.#steps < this.#nextLook) return;
    this.#nextLook = this.#steps + STEPS_PER_LOOK;
    if ((this.#limits.monotonicMs as () => number)() > this.#deadlineMs)
      throw new ExpressionError("D1012", `the expression took longer than ${this.#limits.timeMs} ms`);
  }

  /** Holds a sequence, or an array that will have `length` items, to its limit. */
  sequence(length: number): void {
    this.tick(1 + length / 16);
    if (length > this.maxSequence)
      throw new ExpressionError("D2015", `a sequence has more than ${this.maxSequence} items`);
  }

  text(length: number): void {
    if (length > this.maxWeight)
      throw new ExpressionError("D2015", `a text is longer than ${this.maxWeight} characters`);
  }

  /** Enters a function that evaluates `ahead` nodes one in another before anything else. */
  enter(ahead: number): void {
    this.tick();
    if (this.depth + ahead > this.maxDepth)
      throw new ExpressionError("D1011", `the expression nests more than ${this.maxDepth} evaluations`);
  }
}
