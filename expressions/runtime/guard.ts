// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../errors/expression-error.ts";
import { CallSites } from "./calls/call-sites.ts";
import type { Meter } from "./reads/meter.ts";

/** The most that evaluations may use. A limit that is absent is JavaScript's stack alone, as in the reference. */
export interface GuardLimits {
  /** Nested evaluations, counted as the reference interpreter counts them. */
  readonly depth?: number | undefined;
  /** Steps: see {@link Guard.tick}. */
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

/**
 * Steps that every evaluation may take, whatever others have used of a shared meter: about 0.2 ms. An expression that is
 * cheap is evaluated even after an expensive one has used up the budget of the request.
 */
const STEPS_UNMEASURED = 2_048;

/** Steps between two looks at the clock: about 0.1 ms. */
const STEPS_PER_LOOK = 1_024;

/** The most that a step is taken to last: five times what it does. */
const SLOW_STEP_MS = 0.000_5;
/** Milliseconds that a look at the clock may be late and still be taken for work. */
const LATE_MS = 0.5;

/** Characters that take as long as one step, when a function reads, copies or compares them. */
const CHARS_PER_STEP = 8;
/** Items of an array that take as long as one step, when a function goes through them. */
const ITEMS_PER_STEP = 4;
/** Steps for each property of an object whose names are listed: through a view of a request they are sorted as well. */
const STEPS_PER_PROPERTY = 3;
/** Shorter texts and arrays cost no more than the step of the call that they are given to. */
export const SMALL = 64;

/** The most that is charged at once, so that the count stays a small integer. Work that is no count is charged as this. */
const MOST_AT_ONCE = 0x3fff_ffff;

/** A day counted from 1970-01-01, and its date as text. */
export interface DateMemo {
  day: number;
  text: string;
}

/** Counts the work of evaluations, and stops them with JSONata's codes: D1011 too deep, D1012 too long, D2015 too large. */
export class Guard {
  readonly maxSequence: number;
  readonly maxWeight: number;
  readonly maxDepth: number;
  depth = 0;
  readonly sites = new CallSites();
  /** Memo of the last date that a time was written with: the times that one engine writes are mostly of one day. */
  readonly lastDate: DateMemo = { day: Number.NaN, text: "" };
  readonly #limits: GuardLimits;
  readonly #maxSteps: number;
  readonly #timeMs: number;
  /** The steps that an evaluation is granted when it begins. */
  readonly #first: number;
  readonly #ownMeter: Meter = { steps: 0, workMs: 0 };
  #meter: Meter = this.#ownMeter;
  /** Steps that were granted at the last look, and those of them that are left: one number to count down for each step. */
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

  /** The time of the evaluation under way, in milliseconds since the epoch: the same however often it is asked for. */
  get nowMs(): number {
    return (this.#nowMs ??= this.#limits.nowMs());
  }

  /**
   * Begins an evaluation. Without `nowMs`, its time is that of the first look at the clock; without `meter`, its steps and
   * its time are its own.
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
   * Charges work: a step is a call, a turn of a loop, or what takes as long, about 0.1 µs. The count and the clock are looked
   * at as often as the work asks for, and at once when `steps` is no count.
   * @throws {ExpressionError} D1012
   */
  tick(steps = 1): void {
    // A NaN or a negative number would switch the limits off.
    this.#left -= steps >= 0 && steps <= MOST_AT_ONCE ? steps | 0 : MOST_AT_ONCE;
    if (this.#left < 0) this.look();
  }

  /**
   * Looks at the count and at the clock, whatever was charged.
   * @param isUncharged After work of which only the clock can tell how much it is; default: what was charged says how long it
   * can have taken at most, and longer means that the process was kept from running.
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

  /** Charges a function for items that it goes through. */
  items(length: number): void {
    if (!(length <= SMALL)) this.tick(length / ITEMS_PER_STEP);
  }

  /** The names of an object's properties, charged for. */
  namesOf(object: object): string[] {
    const names = Object.keys(object);
    this.tick(names.length * STEPS_PER_PROPERTY);
    return names;
  }

  /** Charges for the texts and arrays that a function is given, which it may go through. */
  given(values: readonly unknown[]): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (typeof value === "string") this.chars(value.length);
      else if (Array.isArray(value)) this.items(value.length);
    }
  }

  /** Holds a sequence, or an array that will have `length` items, to its limit. */
  sequence(length: number): void {
    this.tick(1 + length / ITEMS_PER_STEP);
    if (length > this.maxSequence)
      throw new ExpressionError("D2015", `a sequence has more than ${this.maxSequence} items`);
  }

  /** Holds a text that will have `length` characters to its limit. */
  text(length: number): void {
    if (length > this.maxWeight)
      throw new ExpressionError("D2015", `a text is longer than ${this.maxWeight} characters`);
  }

  /** Enters a function that evaluates `ahead` nodes one in another before anything else, and takes `steps` steps. */
  enter(ahead: number, steps = 1): void {
    this.tick(steps);
    if (this.depth + ahead > this.maxDepth)
      throw new ExpressionError("D1011", `the expression nests more than ${this.maxDepth} evaluations`);
  }
}
