// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import type { Span } from "./forms/text-form.ts";

/** A text that every match of a pattern, or of one of its alternatives, contains. */
export interface Run extends Span {
  readonly text: string;
}

/** One of the alternatives that a pattern can match by. */
export interface Way {
  readonly runs: readonly Run[];
  /** Whether the alternative begins with `^`, and whether it ends with `$`. */
  readonly anchored: Span;
  /** Whether the alternative is literal text alone, so that its only run is the whole of it. */
  readonly plain: boolean;
  /** The literal text of the alternative, with a dot for any character; absent when it has other syntax. */
  readonly text: string | undefined;
  /** Whether an unescaped dot has text on both sides. */
  readonly bareDot: boolean;
}

/** Most alternatives that are told apart. */
const MAX_WAYS = 16;
/** Longest pattern that is analysed, in UTF-16 units. */
const MAX_LENGTH = 1_000;

/** A character, or a pattern's element that is no literal text. */
type Token = { readonly char: string } | "BREAK" | "DOT" | "START" | "END";

const PARSER = new RegExpParser({ ecmaVersion: 2023, strict: false });

/** Results by pattern: several checks ask for the same pattern. */
const known = new WeakMap<RegExp, readonly Way[] | "unknown">();

/** The alternatives of a pattern; undefined when there are too many, or the pattern cannot be parsed. */
export function waysOf(pattern: RegExp): readonly Way[] | undefined {
  const ways = known.get(pattern) ?? findWays(pattern) ?? "unknown";
  known.set(pattern, ways);
  return ways === "unknown" ? undefined : ways;
}

function findWays({ source, flags }: RegExp): readonly Way[] | undefined {
  if (source.length > MAX_LENGTH) return undefined;
  let parsed: AST.Pattern;
  try {
    parsed = PARSER.parsePattern(source);
  } catch {
    return undefined;
  }
  const sequences = sequencesOf(parsed.alternatives, flags.includes("m"));
  return sequences?.map(wayOf);
}

/** Every sequence of characters and breaks that the alternatives can match. */
function sequencesOf(
  alternatives: readonly AST.Alternative[],
  isLineBased: boolean,
): readonly (readonly Token[])[] | undefined {
  const all: Token[][] = [];
  for (const { elements } of alternatives) {
    let sequences: Token[][] = [[]];
    for (const element of elements) {
      const parts = tokensOf(element, isLineBased);
      if (parts === undefined) return undefined;
      const [only] = parts;
      if (parts.length === 1 && only !== undefined) for (const sequence of sequences) sequence.push(...only);
      else sequences = sequences.flatMap((before) => parts.map((part) => [...before, ...part]));
      if (sequences.length > MAX_WAYS) return undefined;
    }
    all.push(...sequences);
    if (all.length > MAX_WAYS) return undefined;
  }
  return all;
}

function tokensOf(element: AST.Element, isLineBased: boolean): readonly (readonly Token[])[] | undefined {
  switch (element.type) {
    case "Character":
      return [[{ char: String.fromCodePoint(element.value) }]];
    case "CharacterSet":
      return [[element.kind === "any" ? "DOT" : "BREAK"]];
    case "CharacterClass": {
      const [only, ...more] = element.elements;
      const isOne = !element.negate && more.length === 0 && only?.type === "Character";
      return [[isOne ? { char: String.fromCodePoint(only.value) } : "BREAK"]];
    }
    case "Assertion":
      if (element.kind === "word") return [["BREAK"]];
      if (element.kind !== "start" && element.kind !== "end") return [[]];
      return [[isLineBased ? "BREAK" : element.kind === "start" ? "START" : "END"]];
    case "Group":
    case "CapturingGroup":
      return sequencesOf(element.alternatives, isLineBased);
    case "Quantifier": {
      if (element.min === 0) return [["BREAK"]];
      const parts = tokensOf(element.element, isLineBased);
      // A repeated dot can match any text.
      const opaque = parts?.map((part) => part.map((token) => (token === "DOT" ? "BREAK" : token)));
      return element.max === 1 ? parts : opaque?.map((part) => [...part, "BREAK" as const]);
    }
    default:
      return [["BREAK"]];
  }
}

function wayOf(tokens: readonly Token[]): Way {
  const runs: Run[] = [];
  let text = "";
  let start = false;
  const close = (end: boolean): void => {
    if (text !== "" || (start && end)) runs.push({ text, start, end });
    text = "";
    start = false;
  };
  for (const [index, token] of tokens.entries()) {
    if (token === "START") {
      close(false);
      start = index === 0;
    } else if (token === "END") close(index === tokens.length - 1);
    else if (token === "BREAK" || token === "DOT") close(false);
    else text += token.char;
  }
  close(false);
  const isText = (token: Token | undefined): boolean => typeof token === "object";
  return {
    runs,
    anchored: { start: tokens[0] === "START", end: tokens.at(-1) === "END" },
    plain: !tokens.includes("BREAK") && !tokens.includes("DOT"),
    text: tokens.includes("BREAK") ? undefined : tokens.map(charOf).join(""),
    bareDot: tokens.some(
      (token, index) => token === "DOT" && isText(tokens[index - 1]) && isText(tokens[index + 1]),
    ),
  };
}

function charOf(token: Token): string {
  return typeof token === "object" ? token.char : token === "DOT" ? "." : "";
}

/** The texts that every match of a `$glob` pattern contains. */
export function runsOfGlob(glob: string): readonly Run[] {
  if (!/[?[\]{}\\]/.test(glob)) {
    const parts = glob.split(/\*+/);
    return parts
      .map((text, index) => ({ text, start: index === 0, end: index === parts.length - 1 }))
      .filter(({ text }) => text !== "");
  }
  const prefix = /^[^*?[\]{}\\]*/.exec(glob)?.[0] ?? "";
  return prefix === "" ? [] : [{ text: prefix, start: true, end: false }];
}

/** Whether a text looks like a regular expression: `^/admin`, `.*\.example\.com`. */
export function looksLikePattern(text: string): boolean {
  return (
    /^\^./.test(text) ||
    /\.[*+]|\\[dwsDWSb./]|\[[a-z0-9]-[a-z0-9]\]|\([^()]*\|[^()]*\)/i.test(text) ||
    /^\/.*[^/]\$$/.test(text)
  );
}

/** The text as a regular expression literal. */
export function patternLiteral(text: string): string {
  // The author wrote the slashes within the quotes: "/^\/admin/".
  const inner = /^\/(\^[^]*)\/$/.exec(text)?.[1] ?? text;
  return `/${inner.replace(/\\?\//g, "\\/")}/`;
}
