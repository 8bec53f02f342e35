// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type SourceToken, sourceTokens } from "./source-tokens.ts";

/** A hint what to write in place of a construct of another language, and its offset in the source. */
export interface SyntaxHint {
  readonly message: string;
  /** Offset in UTF-16 units; default: the parser's own. */
  readonly offset?: number;
}

/** Longest text that a message quotes, in UTF-16 units. */
const QUOTED_LENGTH = 60;

/** Operators of other languages with JSONata's operators; longer operators first. */
const OPERATORS: readonly (readonly [foreign: string, own: string])[] = [
  ["===", "="],
  ["!==", "!="],
  ["==", "="],
  ["&&", "and"],
  ["||", "or"],
  ["<>", "!="],
  ["=~", "$contains(text, /pattern/)"],
  ["!~", "$not($contains(text, /pattern/))"],
  ["=<", "<="],
  ["=>", ">="],
];

/** Infix words of other languages. */
const INFIX: Readonly<Record<string, string>> = {
  AND: "and",
  OR: "or",
  IN: "in",
  is: "=",
  IS: "=",
  eq: "=",
  ne: "!=",
  equals: "=",
  matches: "$contains(text, /pattern/)",
  like: "$glob(text, pattern)",
  LIKE: "$glob(text, pattern)",
  contains: "$contains(text, part)",
  has: "part in list",
  startswith: "$startsWith(text, start)",
  startsWith: "$startsWith(text, start)",
  endswith: "$endsWith(text, end)",
  endsWith: "$endsWith(text, end)",
};

/**
 * A hint for a source that JSONata cannot parse; undefined when no construct is recognised.
 *
 * @param code JSONata's error code of the fault.
 */
export function syntaxHint(source: string, code: string): SyntaxHint | undefined {
  const tokens = sourceTokens(source);
  const prose = proseHint(source, tokens);
  // Only for the parser's own codes: after an unclosed quote or pattern, the tokens are not reliable.
  return prose ?? (code.startsWith("S02") ? (quotesHint(source) ?? foreignHint(tokens)) : undefined);
}

/** Hint for `status.message: not allowed here`: YAML removes the quotes. */
function proseHint(source: string, tokens: readonly SourceToken[]): SyntaxHint | undefined {
  const isProse = tokens.every(
    ({ text, end }, index) =>
      isWord(text) ||
      /^[,:;?%-]$/.test(text) ||
      (text === "." && !/\S/.test(source[end] ?? "")) ||
      (text === "!" && index === tokens.length - 1),
  );
  const hasPair = tokens.some((token, index) => isWord(token.text) && isWord(tokens[index + 1]?.text));
  if (!isProse || !hasPair || tokens.some(({ text }) => /^(?:AND|OR|NOT|IN|IS|LIKE)$/.test(text)))
    return undefined;
  const text = source.trim().replace(/["\\]/g, "");
  const shown = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
  return { message: `this is an expression, so text in it has quotes of its own: '"${shown}"'` };
}

/** Hint for typographic quotes of word processors. */
function quotesHint(source: string): SyntaxHint | undefined {
  const offset = source.search(/[“”„‘’«»]/);
  if (offset < 0) return undefined;
  return { message: `${source[offset]} is no quote here: write "`, offset };
}

function foreignHint(tokens: readonly SourceToken[]): SyntaxHint | undefined {
  for (const [index, { start, text, prefix }] of tokens.entries()) {
    const found = OPERATORS.find(([foreign]) => isWritten(foreign, tokens, index));
    if (found !== undefined)
      return { message: `there is no ${found[0]} here: write ${found[1]}`, offset: start };
    const list = text === "in" && !prefix ? tokens[index + 1] : undefined;
    if (list?.text === "(" && isListed(tokens, index + 2))
      return { message: "a list is written in brackets: write in [ … ]", offset: list.start };
    if (text === "!") return { message: "there is no ! here: write $not(…)", offset: start };
    const next = tokens[index + 1];
    if (
      /^not$/i.test(text) &&
      prefix &&
      next !== undefined &&
      !/^[=<>.!]/.test(next.text) &&
      next.text !== "("
    )
      return { message: `there is no ${text} here: write $not(…)`, offset: start };
    if (/^not$/i.test(text) && index > 0 && /^in$/i.test(next?.text ?? ""))
      return { message: "there is no not in here: write $not(value in list)", offset: start };
    const own = INFIX[text];
    if (
      own !== undefined &&
      Object.hasOwn(INFIX, text) &&
      index > 0 &&
      next !== undefined &&
      isValueEnd(tokens[index - 1])
    )
      return { message: `there is no ${text} here: write ${own}`, offset: start };
  }
  return undefined;
}

/** Whether the tokens from `index` on are a value and a comma, as in SQL's `in ("a", "b")`. */
function isListed(tokens: readonly SourceToken[], index: number): boolean {
  return tokens[index + 1]?.text === ",";
}

/** Whether the tokens from `index` on are `operator`, without blanks between them. */
function isWritten(operator: string, tokens: readonly SourceToken[], index: number): boolean {
  let written = "";
  let end = tokens[index]?.start;
  for (let at = index; written.length < operator.length; at++) {
    const token = tokens[at];
    if (token === undefined || token.start !== end) return false;
    written += token.text;
    ({ end } = token);
  }
  return written === operator;
}

function isWord(text: string | undefined): boolean {
  return text !== undefined && /^[\p{L}_][\p{L}\p{N}_']*$/u.test(text);
}

function isValueEnd(token: SourceToken | undefined): boolean {
  return token !== undefined && /[\w)\]}"'`]$/.test(token.text);
}
