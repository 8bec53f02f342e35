// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AST } from "@eslint-community/regexpp";
import { ANY_CHAR, type CharSet, charSetOf, NO_CHAR, type SetNode } from "./char-set.ts";

/**
 * A pattern as the positions at which a backtracking matcher may stand: state 0 before its first character,
 * one more behind each character that it may read (counted repeats are written out). An edge's weight is the
 * number of ways to get from one state to the next without reading. So the number of weighted paths that read
 * a text is an upper bound on the paths that a backtracking matcher can try.
 */
export interface Automaton {
  /** Characters read on the way into each state. */
  readonly sets: readonly CharSet[];
  readonly edges: readonly ReadonlyMap<number, number>[];
  /** Ways from each state to the end of the match, or of a lookahead. */
  readonly endings: readonly number[];
  /** Extra cost of each attempt to read, for lookbehinds, in characters looked at. */
  readonly extraSteps: number;
}

export interface AutomatonOptions {
  readonly flags: string;
  /** The matcher tries each position of the text in turn, as it does for a pattern without `^`. */
  readonly searching: boolean;
  /** Any match will do, so that a loop over one set at the very end never backtracks. */
  readonly openEnd: boolean;
}

/** Bounds beyond which a proof costs more than it is worth. */
const MAX_STATES = 300;
const MAX_FRAGMENTS = 2_000;
const MAX_WAYS = 1_000;
/**
 * V8 keeps backtracking positions of each iteration on a stack of 64 MiB, and throws when it is full. This
 * weight was measured so that a text of 1 MiB fits, whatever is in the loop.
 */
const MAX_LOOP_WEIGHT = 5;

/**
 * A part of a pattern: its possible first and last characters, with the number of ways to each from the
 * part's edges.
 */
interface Fragment {
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
  /** Ways through the part without reading. */
  readonly empty: number;
}

const EMPTY: Fragment = { first: new Map(), last: new Map(), empty: 1 };

/** Thrown for parts that no automaton represents; buildAutomaton catches it. */
class Unproven extends Error {}

/** The automaton of a pattern; undefined when it is too large or has unsupported parts. */
export function buildAutomaton(pattern: AST.Pattern, options: AutomatonOptions): Automaton | undefined {
  try {
    return new Builder(options).build(pattern);
  } catch (error: unknown) {
    if (error instanceof Unproven) return undefined;
    throw error;
  }
}

class Builder {
  readonly #options: AutomatonOptions;
  readonly #sets: CharSet[] = [];
  readonly #edges: Map<number, number>[] = [];
  readonly #endings: number[] = [];
  #extraSteps = 0;
  #fragments = 0;

  constructor(options: AutomatonOptions) {
    this.#options = options;
  }

  build(pattern: AST.Pattern): Automaton {
    const start = this.#state(this.#options.searching ? ANY_CHAR : NO_CHAR);
    if (this.#options.searching) this.#edges[start]?.set(start, 1);
    const whole = this.#anyOf(pattern.alternatives, this.#options.openEnd);
    this.#connect(new Map([[start, 1]]), whole.first);
    this.#end(whole);
    this.#endings[start] = (this.#endings[start] ?? 0) + whole.empty;
    return { sets: this.#sets, edges: this.#edges, endings: this.#endings, extraSteps: this.#extraSteps };
  }

  /** `last`, here and below: nothing of the pattern follows. */
  #anyOf(alternatives: readonly AST.Alternative[], last: boolean): Fragment {
    const parts = alternatives.map(({ elements }) => {
      let sequence = EMPTY;
      for (const [index, element] of elements.entries())
        sequence = this.#then(sequence, this.#element(element, last && index === elements.length - 1));
      return sequence;
    });
    if (parts.length === 1) return parts[0] as Fragment;
    return {
      first: sum(parts.map(({ first }) => [first, 1])),
      last: sum(parts.map((part) => [part.last, 1])),
      empty: bounded(parts.reduce((ways, { empty }) => ways + empty, 0)),
    };
  }

  #element(element: AST.Element, last: boolean): Fragment {
    if (++this.#fragments > MAX_FRAGMENTS) throw new Unproven();
    switch (element.type) {
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return this.#read(this.#setOf(element));
      case "Group":
        if (element.modifiers !== null) throw new Unproven();
        return this.#anyOf(element.alternatives, last);
      case "CapturingGroup":
        return this.#anyOf(element.alternatives, last);
      case "Quantifier":
        return this.#repeat(element, last);
      case "Assertion":
        return this.#assertion(element);
      case "Backreference":
        return this.#anyText(longestCapture(element));
      case "ExpressionCharacterClass":
        throw new Unproven();
    }
  }

  #repeat({ element, min, max }: AST.Quantifier, last: boolean): Fragment {
    const loops = max === Number.POSITIVE_INFINITY;
    if (loops && stackWeight(element) > MAX_LOOP_WEIGHT) throw new Unproven();
    let required = EMPTY;
    let looping: Fragment | undefined;
    for (let copy = 0; copy < Math.max(min, loops ? 1 : 0); copy++) {
      looping = this.#element(element, false);
      required = this.#then(copy === 0 && min === 0 ? EMPTY : required, looping);
    }
    if (!loops) {
      let optional = EMPTY;
      for (let copy = min; copy < max; copy++)
        optional = orNothing(this.#then(this.#element(element, false), optional));
      return this.#then(required, optional);
    }
    if (looping === undefined || looping.empty > 0) throw new Unproven();
    if (!(last && isSet(element))) this.#connect(looping.last, looping.first);
    else if (min === 0) return EMPTY;
    return min === 0 ? orNothing(required) : required;
  }

  /** `^`, `$` and `\b` are assumed to hold: an extra path keeps the count an upper bound. */
  #assertion(assertion: AST.Assertion): Fragment {
    switch (assertion.kind) {
      case "start":
      case "end":
      case "word":
        return EMPTY;
      case "lookahead": {
        // Paths of a lookahead begin here and end inside it; the pattern continues from where the lookahead
        // began.
        const inside = this.#anyOf(assertion.alternatives, false);
        this.#end(inside);
        this.#extraSteps += inside.empty;
        return { first: inside.first, last: new Map(), empty: 1 };
      }
      case "lookbehind":
        for (const { elements } of assertion.alternatives) {
          if (!elements.every(isSet)) throw new Unproven();
          this.#extraSteps += elements.length + 1;
        }
        return EMPTY;
    }
  }

  /** Any text of up to `length` characters. */
  #anyText(length: number): Fragment {
    let text = EMPTY;
    for (let read = 0; read < length; read++) text = orNothing(this.#then(this.#read(ANY_CHAR), text));
    return text;
  }

  #read(set: CharSet): Fragment {
    const at = new Map([[this.#state(set), 1]]);
    return { first: at, last: at, empty: 0 };
  }

  #then(a: Fragment, b: Fragment): Fragment {
    this.#connect(a.last, b.first);
    return {
      first: sum([
        [a.first, 1],
        [b.first, a.empty],
      ]),
      last: sum([
        [b.last, 1],
        [a.last, b.empty],
      ]),
      empty: bounded(a.empty * b.empty),
    };
  }

  #connect(from: ReadonlyMap<number, number>, to: ReadonlyMap<number, number>): void {
    for (const [state, ways] of from) {
      const edges = this.#edges[state] as Map<number, number>;
      for (const [next, more] of to) edges.set(next, bounded((edges.get(next) ?? 0) + ways * more));
    }
  }

  #end({ last }: Fragment): void {
    for (const [state, ways] of last) this.#endings[state] = bounded((this.#endings[state] ?? 0) + ways);
  }

  #setOf(node: SetNode): CharSet {
    const set = charSetOf(node, this.#options.flags);
    if (set === undefined) throw new Unproven();
    return set;
  }

  #state(set: CharSet): number {
    if (this.#sets.length >= MAX_STATES) throw new Unproven();
    this.#edges.push(new Map());
    this.#endings.push(0);
    return this.#sets.push(set) - 1;
  }
}

function orNothing(part: Fragment): Fragment {
  return { ...part, empty: bounded(part.empty + 1) };
}

function sum(parts: readonly (readonly [ReadonlyMap<number, number>, times: number])[]): Map<number, number> {
  const total = new Map<number, number>();
  for (const [counts, times] of parts) {
    if (times === 0) continue;
    for (const [state, ways] of counts) total.set(state, bounded((total.get(state) ?? 0) + ways * times));
  }
  return total;
}

function bounded(ways: number): number {
  if (ways > MAX_WAYS) throw new Unproven();
  return ways;
}

function isSet(element: AST.Element): element is SetNode {
  return element.type === "Character" || element.type === "CharacterSet" || element.type === "CharacterClass";
}

/**
 * Stack entries that one iteration over `element` may leave: captures and counters of the previous iteration,
 * and choices.
 */
function stackWeight(element: AST.Element): number {
  if (element.type === "Quantifier") {
    const counted = element.min > 1 || (element.max > 1 && element.max !== Number.POSITIVE_INFINITY);
    return stackWeight(element.element) + (counted ? 2 : 1);
  }
  if (!("alternatives" in element)) return 0;
  const inside = element.alternatives.flatMap(({ elements }) => elements.map(stackWeight));
  const own = (element.type === "CapturingGroup" ? 2 : 0) + (element.alternatives.length > 1 ? 1 : 0);
  return inside.reduce((total, weight) => total + weight, own);
}

/** Longest text, in characters, that a backreference may stand for. */
function longestCapture(reference: AST.Backreference): number {
  if (Array.isArray(reference.resolved)) throw new Unproven();
  return longest(reference.resolved);
}

function longest(element: AST.Element): number {
  switch (element.type) {
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
      return 1;
    case "Assertion":
      return 0;
    case "Group":
    case "CapturingGroup":
      return Math.max(
        ...element.alternatives.map(({ elements }) =>
          elements.reduce((length, part) => length + longest(part), 0),
        ),
      );
    case "Quantifier": {
      const once = longest(element.element);
      return once === 0 || element.max === 0 ? 0 : bounded(element.max * once);
    }
    // A backreference within a capture has no bounded length of its own.
    case "Backreference":
    case "ExpressionCharacterClass":
      throw new Unproven();
  }
}
