// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import type { Span } from "./forms/text-form.ts";

/** A text that is in every match of a pattern, or of one of its alternatives. */
export interface Run extends Span {
  readonly text: string;
}

/** One way in which a pattern matches. */
export interface Way {
  readonly runs: readonly Run[];
  /** Whether it begins with `^`, and ends with `$`. */
  readonly anchored: Span;
  /** Whether it has text alone, so that its one run is all of it. */
  readonly plain: boolean;
  /** What is looked for, with a dot for any character; absent when there is more to it. */
  readonly text: string | undefined;
  /** Whether a dot that stands for any character has text on both sides. */
  readonly bareDot: boolean;
}

/** Most ways that are told apart. */
const MAX_WAYS = 16;
/** Longest pattern that is looked at, in UTF-16 units. */
const MAX_LENGTH = 1_000;

/** A character, or something that is no text. */
type Token = { readonly char: string } | "BREAK" | "DOT" | "START" | "END";

const PARSER = new RegExpParser({ ecmaVersion: 2023, strict: false });

/** By pattern, as several checks ask for the same. */
const known = new WeakMap<RegExp, readonly Way[] | "unknown">();

/** The ways in which a pattern matches; undefined when there are too many, or it cannot be parsed. */
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

/** Each sequence of characters and breaks that the alternatives stand for. */
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
      // A repeated dot stands for any text.
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

/** The texts that are in whatever a glob of `$glob` matches. */
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

/** A text that is a regular expression by its look: `^/admin`, `.*\.example\.com`. */
export function looksLikePattern(text: string): boolean {
  return (
    /^\^./.test(text) ||
    /\.[*+]|\\[dwsDWSb./]|\[[a-z0-9]-[a-z0-9]\]|\([^()]*\|[^()]*\)/i.test(text) ||
    /^\/.*[^/]\$$/.test(text)
  );
}

/** `text` as a pattern literal. */
export function patternLiteral(text: string): string {
  // Written with its slashes: "/^\/admin/".
  const inner = /^\/(\^[^]*)\/$/.exec(text)?.[1] ?? text;
  return `/${inner.replace(/\\?\//g, "\\/")}/`;
}
