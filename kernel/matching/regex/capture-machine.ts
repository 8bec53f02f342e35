// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { EDGE, OTHER_CHAR } from "./alphabet.ts";
import { type Meter, STATES_PER_STEP } from "./meter.ts";
import { ASSERT, CHECK, ENTER, holds, type Program, READ, RESET, SAVE, SPLIT } from "./program.ts";

/** Threads in order of preference: the place where each reads next, and its capture slots. */
interface Threads {
  length: number;
  readonly places: Int32Array;
  readonly slots: Int32Array;
}

/**
 * Finds the match that a backtracking matcher would find, with its groups, in one pass over the text (Pike's
 * algorithm).
 */
export class CaptureMachine {
  readonly #program: Program;
  #threads: Threads;
  #following: Threads;
  /** By state: the number of the position at which the state was last reached. */
  readonly #reachedAt: Uint32Array;
  #position = 0;
  #work = 0;
  /** Capture slots on the path that the machine is following. */
  readonly #current: Int32Array;
  readonly #stack: number[] = [];

  constructor(program: Program) {
    this.#program = program;
    const { ops, slots, depth } = program;
    this.#threads = threads(ops.length, slots);
    this.#following = threads(ops.length, slots);
    this.#reachedAt = new Uint32Array(ops.length * (depth + 1));
    this.#current = new Int32Array(slots);
  }

  /** The slots of the leftmost match that begins at or after `from`; undefined when there is none. */
  find(text: string, from: number, meter: Meter | undefined): Int32Array | undefined {
    const { alphabet, anchored, args, start, slots } = this.#program;
    const { accepts, kinds, size } = alphabet;
    let found: Int32Array | undefined;
    this.#threads.length = 0;
    let before = from === 0 ? EDGE : (kinds[alphabet.letterOf(text.charCodeAt(from - 1))] as number);
    let letter = from < text.length ? alphabet.letterOf(text.charCodeAt(from)) : -1;
    let after = letter < 0 ? EDGE : (kinds[letter] as number);
    this.#begin();
    for (let at = from; ; at++) {
      if (found === undefined && (!anchored || at === 0)) {
        this.#current.fill(-1);
        if (this.#follow(this.#threads, start, at, before, after)) found = this.#current.slice();
      }
      if (letter < 0 || this.#threads.length === 0) {
        if (letter < 0 || found !== undefined || anchored) break;
      }
      if (this.#work >= 1_000 * STATES_PER_STEP) this.#charge(meter);
      const read = letter;
      const { places, slots: saved, length } = this.#threads;
      before = kinds[read] ?? OTHER_CHAR;
      letter = at + 1 < text.length ? alphabet.letterOf(text.charCodeAt(at + 1)) : -1;
      after = letter < 0 ? EDGE : (kinds[letter] as number);
      this.#following.length = 0;
      this.#begin();
      this.#work += (length + 1) * (1 + (slots >> 3));
      for (let thread = 0; thread < length; thread++) {
        const place = places[thread] as number;
        if (accepts[(args[place] as number) * size + read] !== 1) continue;
        for (let slot = 0; slot < slots; slot++) this.#current[slot] = saved[thread * slots + slot] as number;
        const next = this.#program.nexts[place] as number;
        if (!this.#follow(this.#following, next, at + 1, before, after)) continue;
        // Threads after this one are less preferred.
        found = this.#current.slice();
        break;
      }
      [this.#threads, this.#following] = [this.#following, this.#threads];
    }
    this.#charge(meter);
    return found;
  }

  #begin(): void {
    if (++this.#position <= 0xffff_ffff) return;
    this.#reachedAt.fill(0);
    this.#position = 1;
  }

  #charge(meter: Meter | undefined): void {
    const states = this.#work;
    this.#work = 0;
    meter?.tick(states / STATES_PER_STEP);
  }

  /**
   * Adds the threads reachable from `place` until a match. Returns whether there is one; `#current` then has
   * its slots.
   */
  #follow(list: Threads, place: number, at: number, before: number, after: number): boolean {
    const { ops, args, nexts, ends, depth, slots } = this.#program;
    const stack = this.#stack;
    const current = this.#current;
    // Entries are pairs: a place and its fresh depth, or the complement of a slot and the value to restore.
    stack.length = 0;
    stack.push(place, depth);
    while (stack.length > 0) {
      let fresh = stack.pop() as number;
      let here = stack.pop() as number;
      if (here < 0) {
        current[~here] = fresh;
        continue;
      }
      for (;;) {
        this.#work++;
        const op = ops[here];
        // A place that reads resets freshness, so it is a single state.
        const state = here * (depth + 1) + (op === READ ? 0 : fresh);
        if (this.#reachedAt[state] === this.#position) break;
        this.#reachedAt[state] = this.#position;
        const arg = args[here] as number;
        const next = nexts[here] as number;
        if (op === READ) {
          const thread = list.length++;
          list.places[thread] = here;
          for (let slot = 0; slot < slots; slot++)
            list.slots[thread * slots + slot] = current[slot] as number;
          this.#work += slots >> 3;
          break;
        }
        if (op === SPLIT) {
          stack.push(next, fresh);
          here = arg;
          continue;
        }
        if (op === SAVE) {
          stack.push(~arg, current[arg] as number);
          current[arg] = at;
        } else if (op === RESET) {
          for (let slot = arg; slot < (ends[here] as number); slot++) {
            if (current[slot] === -1) continue;
            stack.push(~slot, current[slot] as number);
            current[slot] = -1;
          }
        } else if (op === ENTER) {
          fresh = Math.min(fresh, arg);
        } else if (op === CHECK) {
          if (fresh <= arg) break;
          fresh = depth;
        } else if (op === ASSERT) {
          if (!holds(arg, before, after)) break;
        } else return true;
        here = next;
      }
    }
    return false;
  }
}

function threads(count: number, slots: number): Threads {
  return { length: 0, places: new Int32Array(count), slots: new Int32Array(count * slots) };
}
