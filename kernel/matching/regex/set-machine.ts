// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { EDGE, OTHER_CHAR } from "./alphabet.ts";
import { CHARS_PER_STEP, type Meter, STATES_PER_STEP } from "./meter.ts";
import { takeRoom } from "./table-pool.ts";
import { ASSERT, CHECK, ENTER, holds, MATCH, type Program, READ, SPLIT } from "./program.ts";

/**
 * A DFA state: the places of the threads, regardless of preference, and the kind of the character just read.
 */
interface Standing {
  readonly places: readonly number[];
  readonly isIdle: boolean;
  readonly before: number;
  /** By letter; the end of the text is one more letter. */
  readonly next: (Standing | undefined)[];
}

/** The state after a match: nothing more needs to be read. */
const MATCHED: Standing = { places: [], isIdle: true, before: EDGE, next: [] };
/** Amounts of work after which the meter is charged. */
const CHARS_PER_CHARGE = 4_096;
const STATES_PER_CHARGE = 4_096;

/**
 * Tells whether there is a match, without groups: a lazy DFA, whose states are created when they are first
 * met, so that known texts take one table look-up per character.
 */
export class SetMachine {
  readonly #program: Program;
  /** Whether the match must be the whole text; otherwise any part may match. */
  readonly #whole: boolean;
  #standings = new Map<string, Standing>();
  readonly #reachedIn: Uint32Array;
  #round = 0;
  #work = 0;
  #reading: number[] = [];
  readonly #stack: number[] = [];

  constructor(program: Program, whole: boolean) {
    this.#program = program;
    this.#whole = whole;
    this.#reachedIn = new Uint32Array(program.ops.length * (program.depth + 1));
  }

  /**
   * -1 when no match begins at or after `from`. Otherwise a position at or before the start of the leftmost
   *   match: the last position at which no match was under way.
   */
  search(text: string, from: number, meter: Meter | undefined): number {
    const { alphabet, anchored } = this.#program;
    this.#work = STATES_PER_STEP;
    let standing = this.#standing(
      [],
      from === 0 ? EDGE : (alphabet.kinds[alphabet.letterOf(text.charCodeAt(from - 1))] as number),
    );
    const { length } = text;
    let charged = from;
    let idle = from;
    let at = from;
    for (; at <= length; at++) {
      if (standing.isIdle) {
        if ((anchored || this.#whole) && at > 0) break;
        idle = at;
      }
      const letter = at < length ? alphabet.letterOf(text.charCodeAt(at)) : alphabet.size;
      let next = standing.next[letter];
      if (next === undefined) {
        next = this.#step(standing, letter);
        if (this.#work >= STATES_PER_CHARGE) charged = this.#charge(meter, charged, at);
      }
      if (next === MATCHED) {
        this.#charge(meter, charged, at);
        return idle;
      }
      standing = next;
      if (at - charged >= CHARS_PER_CHARGE) charged = this.#charge(meter, charged, at);
    }
    this.#charge(meter, charged, at);
    return -1;
  }

  /** Drops the tables; a search in progress keeps the states that it holds. */
  forget(): void {
    this.#standings = new Map();
  }

  #charge(meter: Meter | undefined, from: number, to: number): number {
    const states = this.#work;
    this.#work = 0;
    meter?.tick(states / STATES_PER_STEP + (to - from) / CHARS_PER_STEP);
    return to;
  }

  /** Computes the state after `letter`, when it is first needed. */
  #step(standing: Standing, letter: number): Standing {
    const { alphabet, args, nexts, start } = this.#program;
    const { accepts, kinds, size } = alphabet;
    const atEnd = letter === size;
    const after = atEnd ? EDGE : (kinds[letter] as number);
    this.#begin();
    let matched = false;
    for (const place of standing.places) matched = this.#follow(place, standing.before, after) || matched;
    // `before` is only maintained with assertions; without them the first state is the one with no places.
    if (!this.#whole || standing.before === EDGE)
      matched = this.#follow(start, standing.before, after) || matched;
    let next: Standing;
    if (matched && (atEnd || !this.#whole)) next = MATCHED;
    else {
      const places = this.#reading
        .filter((place) => accepts[(args[place] as number) * size + letter] === 1)
        .map((place) => nexts[place] as number);
      next = this.#standing(
        [...new Set(places)].sort((a, b) => a - b),
        kinds[letter] ?? OTHER_CHAR,
      );
    }
    standing.next[letter] = next;
    return next;
  }

  #begin(): void {
    this.#reading = [];
    if (++this.#round <= 0xffff_ffff) return;
    this.#reachedIn.fill(0);
    this.#round = 1;
  }

  #standing(places: readonly number[], before: number): Standing {
    const key = `${before}:${places.join()}`;
    const known = this.#standings.get(key);
    if (known !== undefined) return known;
    // Estimate for keys, places and columns, in numbers of at most eight bytes.
    takeRoom(this, 2 * places.length + this.#program.alphabet.size + 8);
    this.#work += 32 + 4 * places.length + this.#program.alphabet.size;
    const next = Array<Standing | undefined>(this.#program.alphabet.size + 1).fill(undefined);
    const standing: Standing = { places, isIdle: places.length === 0, before, next };
    this.#standings.set(key, standing);
    return standing;
  }

  /** Collects the places reachable from `place` without reading; returns whether one of them is a match. */
  #follow(place: number, before: number, after: number): boolean {
    const { ops, args, nexts, depth } = this.#program;
    const stack = this.#stack;
    let matched = false;
    stack.push(place, depth);
    while (stack.length > 0) {
      let fresh = stack.pop() as number;
      let here = stack.pop() as number;
      for (;;) {
        this.#work++;
        const op = ops[here];
        // A place that reads resets freshness, so it is a single state.
        const state = here * (depth + 1) + (op === READ ? 0 : fresh);
        if (this.#reachedIn[state] === this.#round) break;
        this.#reachedIn[state] = this.#round;
        const arg = args[here] as number;
        if (op === READ) {
          this.#reading.push(here);
          break;
        }
        if (op === SPLIT) {
          stack.push(nexts[here] as number, fresh);
          here = arg;
          continue;
        }
        if (op === ENTER) fresh = Math.min(fresh, arg);
        else if (op === CHECK) {
          if (fresh <= arg) break;
          fresh = depth;
        } else if (op === ASSERT) {
          if (!holds(arg, before, after)) break;
        } else if (op === MATCH) {
          matched = true;
          break;
        }
        here = nexts[here] as number;
      }
    }
    return matched;
  }
}
