// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AST } from "@eslint-community/regexpp";
import { type Alphabet, alphabetOf, EDGE, KINDS, LINE_END, WORD_CHAR } from "./alphabet.ts";
import { type CharSet, charSetOf } from "./char-set.ts";
import { isAnchored } from "./linear-proof.ts";

/** Read one character of a set. */
export const READ = 0;
/** Continue at either of two places; the first is preferred. */
export const SPLIT = 1;
/** Save the position in a slot. */
export const SAVE = 2;
/** Clear the slots of the groups within a loop when an iteration begins. */
export const RESET = 3;
/** Begin an iteration that may be empty. */
export const ENTER = 4;
/** End an iteration; an iteration that read nothing fails. */
export const CHECK = 5;
/** Continue only if an assertion holds. */
export const ASSERT = 6;
export const MATCH = 7;

/**
 * A pattern as instructions for a machine that follows all their paths at once (Thompson, 1968; captures as
 * Pike's), in the order in which ECMA-262's backtracking matcher would try them. Counted repeats are written
 * out.
 *
 * A loop iteration that reads nothing fails (RepeatMatcher, 22.2.2.3.1). Whether an iteration has read
 * depends on the path to a place, not on the place. But a read character counts for all iterations under way,
 * and iterations nested in one that has read nothing have read nothing either. So a state is a place and the
 * outermost loop whose iteration began at this very position: the state's `fresh` depth.
 */
export interface Program {
  readonly ops: Uint8Array;
  /** READ: the set. SPLIT: the preferred place. SAVE, RESET: the (first) slot. ENTER, CHECK: depth. ASSERT: the kind. */
  readonly args: Int32Array;
  /** The next place; for SPLIT, the second choice. */
  readonly nexts: Int32Array;
  /** RESET: end of its slots, exclusive. */
  readonly ends: Int32Array;
  readonly start: number;
  /** Two slots for the match and two for each group. */
  readonly slots: number;
  /**
   * Most loops with possibly empty iterations that are nested in one another. As a `fresh` depth it means no
   * loop.
   */
  readonly depth: number;
  readonly hasAssertions: boolean;
  /** Every match begins at the start of the text. */
  readonly anchored: boolean;
  readonly alphabet: Alphabet;
}

/** Bounds on a program, which bound the memory of its machines and their work per character. */
const MAX_INSTRUCTIONS = 10_000;
const MAX_CELLS = 200_000;

/** Reason that a pattern has no program, for its author. */
export class NoProgram extends Error {}

/** @throws {NoProgram} */
export function compileProgram(pattern: AST.Pattern, flags: string): Program {
  return new Compiler().compile(pattern, flags);
}

/** Assertions of ASSERT: each tests the kinds of the characters before and after a position. */
const ASSERTIONS: Readonly<Record<string, (before: number, after: number) => boolean>> = {
  start: (before) => before === EDGE,
  end: (_, after) => after === EDGE,
  lineStart: (before) => before === EDGE || before === LINE_END,
  lineEnd: (_, after) => after === EDGE || after === LINE_END,
  word: (before, after) => (before === WORD_CHAR) !== (after === WORD_CHAR),
  notWord: (before, after) => (before === WORD_CHAR) === (after === WORD_CHAR),
};
const ASSERTION_NAMES = Object.keys(ASSERTIONS);
const OUTCOMES = Object.values(ASSERTIONS).flatMap((test) =>
  KINDS.flatMap((before) => KINDS.map((after) => test(before, after))),
);

export function holds(assertion: number, before: number, after: number): boolean {
  return OUTCOMES[(assertion * KINDS.length + before) * KINDS.length + after] === true;
}

class Compiler {
  readonly #ops: number[] = [];
  readonly #args: number[] = [];
  readonly #nexts: number[] = [];
  readonly #ends: number[] = [];
  readonly #sets: CharSet[] = [];
  readonly #setNumbers = new Map<string, number>();
  #numbers: ReadonlyMap<AST.CapturingGroup, number> = new Map();
  #depth = 0;
  #maxDepth = 0;
  #hasAssertions = false;

  compile(pattern: AST.Pattern, flags: string): Program {
    this.#numbers = new Map(groupsIn(pattern.alternatives).map((group, index) => [group, index + 1]));
    const end = this.#add(SAVE, 1, this.#add(MATCH, 0, 0));
    const start = this.#add(SAVE, 0, this.#anyOf(pattern.alternatives, flags, end));
    const slots = 2 * (this.#numbers.size + 1);
    const ranges = this.#sets.reduce((count, set) => count + set.length, 0);
    if (this.#sets.length * ranges > MAX_CELLS) throw tooLarge();
    const alphabet = alphabetOf(this.#sets, this.#hasAssertions);
    const states = this.#ops.length * (this.#maxDepth + 1);
    if (states + this.#ops.length * slots > MAX_CELLS || alphabet.accepts.length > MAX_CELLS)
      throw tooLarge();
    return {
      ops: Uint8Array.from(this.#ops),
      args: Int32Array.from(this.#args),
      nexts: Int32Array.from(this.#nexts),
      ends: Int32Array.from(this.#ends),
      start,
      slots,
      depth: this.#maxDepth,
      hasAssertions: this.#hasAssertions,
      anchored: isAnchored(pattern, flags),
      alphabet,
    };
  }

  #add(op: number, arg: number, next: number, end = 0): number {
    if (this.#ops.length >= MAX_INSTRUCTIONS) throw tooLarge();
    this.#args.push(arg);
    this.#nexts.push(next);
    this.#ends.push(end);
    return this.#ops.push(op) - 1;
  }

  /** This and the methods below return the place where their part begins; the part continues at `next`. */
  #anyOf(alternatives: readonly AST.Alternative[], flags: string, next: number): number {
    const [last, ...others] = alternatives
      .toReversed()
      .map(({ elements }) =>
        elements.reduceRight((following, element) => this.#element(element, flags, following), next),
      );
    return others.reduce<number>((rest, first) => this.#add(SPLIT, first, rest), last as number);
  }

  #element(element: AST.Element, flags: string, next: number): number {
    switch (element.type) {
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return this.#add(READ, this.#set(charSetOf(element, flags) as CharSet), next);
      case "Group":
        return this.#anyOf(element.alternatives, modified(flags, element.modifiers), next);
      case "CapturingGroup": {
        const slot = this.#slotOf(element);
        const inside = this.#anyOf(element.alternatives, flags, this.#add(SAVE, slot + 1, next));
        return this.#add(SAVE, slot, inside);
      }
      case "Quantifier":
        return this.#repeat(element, flags, next);
      case "Assertion":
        return this.#assertion(element, flags, next);
      case "Backreference":
        throw new NoProgram("backreferences are supported only where matching provably takes linear time");
      case "ExpressionCharacterClass":
        throw new NoProgram("classes of flag v are not supported");
    }
  }

  #repeat({ element, min, max, greedy }: AST.Quantifier, flags: string, next: number): number {
    if (max === 0) return next;
    if (Math.max(min, max === Number.POSITIVE_INFINITY ? 1 : max) > MAX_INSTRUCTIONS) throw tooLarge();
    const groups = groupsIn([element]);
    const iteration = (following: number, index: number): number => {
      const inside = this.#element(element, flags, following);
      const [first] = groups;
      if (index === 0 || first === undefined) return inside;
      const slot = this.#slotOf(first);
      return this.#add(RESET, slot, inside, slot + 2 * groups.length);
    };
    const split = (again: number): number =>
      greedy ? this.#add(SPLIT, again, next) : this.#add(SPLIT, next, again);
    const mayBeEmpty = canBeEmpty(element);
    /** An iteration that may be left out, and that fails when it is empty. */
    const optional = (following: number, index: number): number => {
      if (!mayBeEmpty) return iteration(following, index);
      const depth = this.#depth++;
      this.#maxDepth = Math.max(this.#maxDepth, this.#depth);
      const inside = iteration(this.#add(CHECK, depth, following), index);
      this.#depth = depth;
      return this.#add(ENTER, depth, inside);
    };
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      start = split(-1);
      const again = optional(start, 1);
      (greedy ? this.#args : this.#nexts)[start] = again;
    } else for (let index = max - 1; index >= min; index--) start = split(optional(start, index));
    for (let index = min - 1; index >= 0; index--) start = iteration(start, index);
    return start;
  }

  #assertion(assertion: AST.Assertion, flags: string, next: number): number {
    if (assertion.kind === "lookahead" || assertion.kind === "lookbehind")
      throw new NoProgram(
        "lookahead and lookbehind are supported only where matching provably takes linear time",
      );
    this.#hasAssertions = true;
    const multiline = flags.includes("m");
    const name = {
      start: multiline ? "lineStart" : "start",
      end: multiline ? "lineEnd" : "end",
      word: "negate" in assertion && assertion.negate ? "notWord" : "word",
    } as const;
    return this.#add(ASSERT, ASSERTION_NAMES.indexOf(name[assertion.kind]), next);
  }

  #slotOf(group: AST.CapturingGroup): number {
    return 2 * (this.#numbers.get(group) as number);
  }

  #set(set: CharSet): number {
    const key = set.join();
    const known = this.#setNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#sets.push(set) - 1;
    this.#setNumbers.set(key, number);
    return number;
  }
}

function tooLarge(): NoProgram {
  return new NoProgram("the pattern is too large, with its repeat counts written out: use smaller counts");
}

function modified(flags: string, modifiers: AST.Modifiers | null): string {
  if (modifiers === null) return flags;
  const { add, remove } = modifiers;
  const kept = remove === null ? flags : flags.replace(new RegExp(`[${remove.raw}]`, "g"), "");
  return kept + add.raw;
}

/** The capturing groups within `nodes`, in the order of their consecutive numbers. */
function groupsIn(nodes: readonly (AST.Alternative | AST.Element)[]): readonly AST.CapturingGroup[] {
  return nodes.flatMap((node): readonly AST.CapturingGroup[] => {
    switch (node.type) {
      case "CapturingGroup":
        return [node, ...groupsIn(node.alternatives)];
      case "Group":
        return groupsIn(node.alternatives);
      case "Alternative":
        return groupsIn(node.elements);
      case "Quantifier":
        return groupsIn([node.element]);
      default:
        return [];
    }
  });
}

function canBeEmpty(element: AST.Element): boolean {
  switch (element.type) {
    case "Group":
    case "CapturingGroup":
      return element.alternatives.some(({ elements }) => elements.every(canBeEmpty));
    case "Quantifier":
      return element.min === 0 || canBeEmpty(element.element);
    case "Assertion":
      return true;
    default:
      return false;
  }
}
