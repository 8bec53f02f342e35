// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AST } from "@eslint-community/regexpp";
import { type Automaton, type AutomatonOptions, buildAutomaton } from "./automaton.ts";
import { type CharSet, contains } from "./char-set.ts";

/**
 * Most steps per character of any text that a proven pattern takes: at a few nanoseconds each, 64 KiB take
 * far less than 100 ms.
 */
export const MAX_STEPS_PER_CHAR = 128;

/** Bounds on the proof itself, which takes some milliseconds at worst. */
const MAX_COUNTS = 1_000;
const MAX_EFFORT = 100_000;

/**
 * Upper bound on the steps per character that a backtracking matcher takes to find every match of `pattern`,
 * or that there is none; undefined when linear time is not proven.
 */
export function searchStepsPerChar(pattern: AST.Pattern, flags: string): number | undefined {
  return stepsPerChar(pattern, { flags, searching: !isAnchored(pattern, flags), openEnd: true });
}

/** The bound for the pattern between `^` and `$`. */
export function matchStepsPerChar(pattern: AST.Pattern, flags: string): number | undefined {
  return stepsPerChar(pattern, { flags, searching: false, openEnd: false });
}

/** Whether every match begins at the start of the text, an optimization that V8 has too. */
export function isAnchored({ alternatives }: AST.Pattern, flags: string): boolean {
  if (flags.includes("m")) return false;
  return alternatives.every(({ elements: [first] }) => first?.type === "Assertion" && first.kind === "start");
}

/**
 * A failing matcher has tried, for each text it read, every path through the automaton that reads it. The
 * proof counts these paths for all texts at once: the counts after one text determine the counts after each
 * text longer by one character, and when no count exceeds a bound there are finitely many.
 */
function stepsPerChar(pattern: AST.Pattern, options: AutomatonOptions): number | undefined {
  const automaton = buildAutomaton(pattern, options);
  if (automaton === undefined) return undefined;
  const alphabet = alphabetOf(automaton);
  const costs = automaton.edges.map((edges, state) => {
    const ways = [...edges.values()].reduce((total, more) => total + more, automaton.endings[state] ?? 0);
    return (1 + ways) * (1 + automaton.extraSteps);
  });
  const begun: Counts = [[0, 1]];
  const seen = new Set([String(begun)]);
  const open = [begun];
  let effort = 0;
  let most = 1;
  for (let counts = open.pop(); counts !== undefined; counts = open.pop()) {
    const steps = counts.reduce((total, [state, count]) => total + count * (costs[state] ?? 0), 0);
    if (steps > MAX_STEPS_PER_CHAR) return undefined;
    most = Math.max(most, steps);
    const reached = follow(counts, automaton);
    for (const letter of alphabet) {
      effort += letter.length;
      const next = letter.flatMap((state): Counts => (reached[state] ? [[state, reached[state]]] : []));
      const key = String(next);
      if (seen.has(key)) continue;
      if (seen.size >= MAX_COUNTS || effort > MAX_EFFORT) return undefined;
      seen.add(key);
      open.push(next);
    }
  }
  return most;
}

/** Number of paths that lead to each state, for states with any; in the order of states. */
type Counts = (readonly [state: number, count: number])[];

function follow(counts: Counts, { edges }: Automaton): Float64Array {
  const reached = new Float64Array(edges.length);
  for (const [state, count] of counts)
    for (const [next, ways] of edges[state] ?? []) reached[next] = (reached[next] ?? 0) + count * ways;
  return reached;
}

/** Characters that no set tells apart are one letter, represented by the states that read it. */
function alphabetOf({ sets }: Automaton): readonly (readonly number[])[] {
  const distinct = new Map<string, { set: CharSet; states: number[] }>();
  for (const [state, set] of sets.entries()) {
    const known = distinct.get(String(set));
    if (known === undefined) distinct.set(String(set), { set, states: [state] });
    else known.states.push(state);
  }
  const readers = [...distinct.values()];
  const starts = new Set(readers.flatMap(({ set }) => set.flatMap(([first, last]) => [first, last + 1])));
  const letters = new Map<string, readonly number[]>();
  for (const unit of starts) {
    const reading = readers
      .filter(({ set }) => contains(set, unit))
      .flatMap(({ states }) => states)
      .sort((a, b) => a - b);
    if (reading.length > 0) letters.set(reading.join(), reading);
  }
  return [...letters.values()];
}
