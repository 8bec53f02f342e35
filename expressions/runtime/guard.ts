// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import { CallSites } from "./calls/call-sites.ts";
import type { Meter } from "./reads/meter.ts";

/** Limits of evaluations. Without a limit, only JavaScript's stack bounds them, as in the reference. */
export interface GuardLimits {
  /** Nested evaluations, counted as the reference interpreter counts them. */
  readonly depth?: number | undefined;
  /** Steps: see {@link Guard.tick}. */
  readonly steps?: number | undefined;
  /** Items of a sequence. */
  readonly sequence?: number | undefined;
  /** Weight of one value: its characters, items and properties together. */
  readonly weight?: number | undefined;
  readonly timeMs?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock; needed for `timeMs`. */
  readonly monotonicMs?: (() => number) | undefined;
}

/**
 * Steps that every evaluation may take, even if others have used up the shared meter: about 0.2 ms. So a
 * cheap expression is still evaluated after an expensive one has used up the request's budget.
 */
const STEPS_UNMEASURED = 2_048;

/** Steps between two reads of the clock: about 0.1 ms. */
const STEPS_PER_LOOK = 1_024;

/** The longest time that a step counts for, in milliseconds: five times its usual duration. */
const SLOW_STEP_MS = 0.000_5;
/** Milliseconds that a read of the clock may be late and still count as work. */
const LATE_MS = 0.5;

/** Characters that take as long as one step when a function reads, copies or compares them. */
const CHARS_PER_STEP = 8;
/** Items of an array that take as long as one step when a function iterates over them. */
const ITEMS_PER_STEP = 4;
/** Steps for each property of an object whose names are listed. A view of a request also sorts them. */
const STEPS_PER_PROPERTY = 3;
/** Longest text or array that is free: the step of the call covers its cost. */
export const SMALL = 64;

/**
 * The most steps that are charged at once, so that the count stays a small integer (V8 Smi). A charge that is
 * not a valid count is charged as this.
 */
const MOST_AT_ONCE = 0x3fff_ffff;

/** A day counted from 1970-01-01, and its date as text. */
export interface DateMemo {
  day: number;
  text: string;
}

/**
 * Counts the work of evaluations, and stops them with JSONata's codes: D1011 too deep, D1012 too long, D2015
 * too large.
 */
export class Guard {
  readonly maxSequence: number;
  readonly maxWeight: number;
  readonly maxDepth: number;
  depth = 0;
  readonly sites = new CallSites();
  /**
   * Memo of the last date that a time was written with: the times that one engine writes are mostly of one
   * day.
   */
  readonly lastDate: DateMemo = { day: Number.NaN, text: "" };
  readonly #limits: GuardLimits;
  readonly #maxSteps: number;
  readonly #timeMs: number;
  /** The steps that an evaluation is granted at its start. */
  readonly #first: number;
  readonly #ownMeter: Meter = { steps: 0, workMs: 0 };
  #meter: Meter = this.#ownMeter;
  /** Steps granted at the last look. The fast path of tick() counts down `#left` alone. */
  #granted = 0;
  #left = 0;
  #isFirstLook = true;
  #lastLookMs = 0;
  #nowMs: number | undefined;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
    this.maxSequence = limits.sequence ?? Infinity;
    this.maxWeight = limits.weight ?? Infinity;
    this.maxDepth = limits.depth ?? Infinity;
    this.#maxSteps = limits.steps ?? Infinity;
    this.#timeMs = limits.monotonicMs === undefined ? Infinity : (limits.timeMs ?? Infinity);
    this.#first = Math.min(this.#maxSteps, STEPS_UNMEASURED);
  }

  /** The time of the current evaluation, in milliseconds since the epoch: every call gives the same time. */
  get nowMs(): number {
    return (this.#nowMs ??= this.#limits.nowMs());
  }

  /**
   * Begins an evaluation. Default of `nowMs`: the time of the first read of the clock. Without `meter`, its
   * steps and time are its own.
   */
  start(nowMs?: number, meter?: Meter): void {
    this.#nowMs = nowMs;
    this.depth = 0;
    this.sites.clear();
    if (meter !== undefined) this.#share(meter);
    this.#granted = this.#left = this.#first;
    this.#isFirstLook = true;
  }

  #share(meter: Meter): void {
    this.#meter.steps += this.#granted - this.#left;
    this.#meter = meter;
  }

  /**
   * Charges work: a step is a call, a turn of a loop, or other work of about 0.1 µs. The count and the clock
   * are checked after a number of charged steps, and at once when `steps` is not a valid count.
   * @throws {ExpressionError} D1012
   */
  tick(steps = 1): void {
    // NaN or a negative number would switch the limits off.
    this.#left -= steps >= 0 && steps <= MOST_AT_ONCE ? steps | 0 : MOST_AT_ONCE;
    if (this.#left < 0) this.look();
  }

  /**
   * Checks the count and the clock now.
   * @param isUncharged True after work that only the clock can measure. Default: the steps charged since the
   *   last look bound the time that counts as work; a longer time means that the process was paused.
   * @throws {ExpressionError} D1012
   */
  look(isUncharged = false): void {
    const meter = this.#meter;
    if (this.#isFirstLook && meter === this.#ownMeter) meter.steps = meter.workMs = 0;
    const steps = this.#granted - this.#left;
    meter.steps += steps;
    this.#granted = this.#left = 0;
    if (meter.steps > this.#maxSteps)
      throw new ExpressionError("D1012", `the expression took more than ${this.#maxSteps} steps`);
    if (this.#timeMs !== Infinity) this.#lookAtClock(steps, isUncharged);
    const most = this.#timeMs === Infinity ? MOST_AT_ONCE : STEPS_PER_LOOK;
    this.#granted = this.#left = Math.min(most, this.#maxSteps - meter.steps);
    this.#isFirstLook = false;
  }

  #lookAtClock(steps: number, isUncharged: boolean): void {
    const meter = this.#meter;
    const now = (this.#limits.monotonicMs as () => number)();
    if (!this.#isFirstLook) {
      const most = isUncharged ? (this.#timeMs * 3) / 4 : LATE_MS + steps * SLOW_STEP_MS;
      meter.workMs += Math.min(now - this.#lastLookMs, most);
    }
    this.#lastLookMs = now;
    if (meter.workMs > this.#timeMs)
      throw new ExpressionError("D1012", `the expression took longer than ${this.#timeMs} ms`);
  }

  /** Charges a function for characters that it reads, copies or compares. */
  chars(length: number): void {
    if (!(length <= SMALL)) this.tick(length / CHARS_PER_STEP);
  }

  /** Charges a function for items that it iterates over. */
  items(length: number): void {
    if (!(length <= SMALL)) this.tick(length / ITEMS_PER_STEP);
  }

  /** The names of an object's properties, with a charge for each. */
  namesOf(object: object): string[] {
    const names = Object.keys(object);
    this.tick(names.length * STEPS_PER_PROPERTY);
    return names;
  }

  /** Charges a call for its texts and arrays, which the function may iterate over. */
  given(values: readonly unknown[]): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (typeof value === "string") this.chars(value.length);
      else if (Array.isArray(value)) this.items(value.length);
    }
  }

  /** Checks a sequence or array of `length` items against the sequence limit. */
  sequence(length: number): void {
    this.tick(1 + length / ITEMS_PER_STEP);
    if (length > this.maxSequence)
      throw new ExpressionError("D2015", `a sequence has more than ${this.maxSequence} items`);
  }

  /** Checks a text of `length` characters against the weight limit. */
  text(length: number): void {
    if (length > this.maxWeight)
      throw new ExpressionError("D2015", `a text is longer than ${this.maxWeight} characters`);
  }

  /**
   * Enters a function whose chain of `ahead` nested nodes is entered before any value, and charges `steps`.
   */
  enter(ahead: number, steps = 1): void {
    this.tick(steps);
    if (this.depth + ahead > this.maxDepth)
      throw new ExpressionError("D1011", `the expression nests more than ${this.maxDepth} evaluations`);
  }
}
