// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExpressionFault } from "../errors/expression-error.ts";
import { type SourceToken, sourceTokens } from "./source-tokens.ts";

/** Limits of an expression's source, so that compiling it takes at most about 50 ms. */
export interface SourceLimits {
  /** Length in UTF-16 units; a list of constants may be long. */
  readonly characters: number;
  /**
   * Names, operators and brackets. Literals and commas are not counted: they cost little, and lists of them
   * may be long.
   */
  readonly tokens: number;
  /** Nesting of brackets. */
  readonly depth: number;
  /** Number of regular expressions. */
  readonly patterns: number;
  /** Number of `??` and `?:` operators. */
  readonly defaults: number;
  /**
   * Tokens that `??` and `?:` copy: the parser copies the left side of each, so that nesting doubles the
   * tree.
   */
  readonly copies: number;
}

const OPENING: ReadonlySet<string> = new Set(["(", "[", "{"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);
const DEFAULTING: ReadonlySet<string> = new Set(["??", "?:"]);

/**
 * The fault of a source that exceeds a limit, at the place where it does; undefined for a source within its
 * limits.
 */
export function faultOfSize(source: string, limits: Partial<SourceLimits>): ExpressionFault | undefined {
  const most = { ...NO_LIMITS, ...limits };
  if (source.length > most.characters)
    return fault(`the expression is longer than ${most.characters} characters`, most.characters);
  const tokens = sourceTokens(source);
  const { defaults, patterns } = most;
  return (
    exceeding(tokens, defaults, isDefaulting, `the expression has more than ${defaults} of ?? and ?:`) ??
    faultOfNesting(tokens, most) ??
    exceeding(tokens, patterns, isPattern, `the expression has more than ${patterns} regular expressions`) ??
    exceeding(
      tokens,
      most.tokens,
      isCounted,
      `the expression has more than ${most.tokens} names, operators and brackets`,
    )
  );
}

const NO_LIMITS: SourceLimits = {
  characters: Infinity,
  tokens: Infinity,
  depth: Infinity,
  patterns: Infinity,
  defaults: Infinity,
  copies: Infinity,
};

function exceeding(
  tokens: readonly SourceToken[],
  most: number,
  isOne: (token: SourceToken) => boolean,
  message: string,
): ExpressionFault | undefined {
  let count = 0;
  for (const token of tokens) if (isOne(token) && ++count > most) return fault(message, token.start);
  return undefined;
}

/** Token counts within one pair of brackets, including copies. */
interface Level {
  /** Tokens that the next `??` does not copy: those before the last comma, and copies. */
  before: number;
  left: number;
}

function faultOfNesting(tokens: readonly SourceToken[], most: SourceLimits): ExpressionFault | undefined {
  const outer: Level[] = [];
  let level: Level = { before: 0, left: 0 };
  let copies = 0;
  for (const { text, start } of tokens) {
    level.left++;
    if (OPENING.has(text)) {
      if (outer.length >= most.depth) return fault("the expression is nested too deeply", start);
      outer.push(level);
      level = { before: 0, left: 0 };
    } else if (CLOSING.has(text)) {
      const inner = level;
      level = outer.pop() ?? { before: 0, left: 0 };
      level.left += inner.before + inner.left;
    } else if (text === "," || text === ";") {
      level = { before: level.before + level.left, left: 0 };
    } else if (DEFAULTING.has(text)) {
      copies += level.left;
      // All later tokens are its right side.
      level = { before: level.before + 2 * level.left, left: 0 };
      if (copies > most.copies)
        return fault("?? and ?: are nested too deeply: each of them doubles its left side", start);
    }
  }
  return undefined;
}

function isCounted({ text }: SourceToken): boolean {
  return !/^(?:,|["'0-9].*)$/s.test(text);
}

function isPattern({ text, prefix }: SourceToken): boolean {
  return prefix && text.length > 1 && text.startsWith("/");
}

function isDefaulting({ text }: SourceToken): boolean {
  return DEFAULTING.has(text);
}

function fault(message: string, offset: number): ExpressionFault {
  return { code: "PURSER_EXPR_SYNTAX", message, offset };
}
