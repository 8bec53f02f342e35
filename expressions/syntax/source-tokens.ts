// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A token of an expression's source; offsets are in UTF-16 units. */
export interface SourceToken {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /**
   * Whether the token is in prefix position, where a value begins: there `-` negates, `%` is the parent, `[`
   * makes an array.
   */
  readonly prefix: boolean;
  /** On a matched opening bracket: the end offset of its closing bracket. */
  closedAt?: number;
}

const BLANKS = /(?:[ \t\n\r\v]+|\/\*[^]*?\*\/)+/y;
const QUOTED = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|`[^`]*`/y;
const NUMBER = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?/y;
const OPERATOR = /\.\.|:=|!=|>=|<=|\*\*|~>|\?:|\?\?|[.[\]{}(),@#;:?+\-*/%|=<>^&!~]/y;
const NAME = /[^ \t\n\r\v.[\]{}(),@#;:?+\-*/%|=<>^&!~]+/y;

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * The tokens of a source, without blanks and comments. Of a source that does not parse, the tokens up to the
 * fault.
 */
export function sourceTokens(source: string): readonly SourceToken[] {
  const tokens: SourceToken[] = [];
  const open: SourceToken[] = [];
  let afterValue = false;
  for (let at = 0; ; ) {
    at = matchAt(BLANKS, source, at) ?? at;
    if (at >= source.length) return tokens;
    const end = tokenEnd(source, at, afterValue);
    if (end === undefined) return tokens;
    const token: SourceToken = { start: at, end, text: source.slice(at, end), prefix: !afterValue };
    tokens.push(token);
    if (CLOSING[token.text] !== undefined) open.push(token);
    const opener = open.at(-1);
    if (opener !== undefined && CLOSING[opener.text] === token.text) {
      opener.closedAt = end;
      open.pop();
    }
    afterValue = endsValue(token);
    at = end;
  }
}

function tokenEnd(source: string, at: number, afterValue: boolean): number | undefined {
  if (source[at] === "/" && !afterValue) return regexEnd(source, at);
  return (
    matchAt(QUOTED, source, at) ??
    matchAt(OPERATOR, source, at) ??
    matchAt(NUMBER, source, at) ??
    matchAt(NAME, source, at)
  );
}

/**
 * End of the pattern literal at `start`. JSONata ends a pattern at the first slash that is not escaped and
 * not in brackets.
 */
function regexEnd(source: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at] as string;
    if (char === "/" && depth === 0 && !isEscaped(source, at)) {
      let end = at + 1;
      while (source[end] === "i" || source[end] === "m") end++;
      return end;
    }
    if (source[at - 1] === "\\") continue;
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
  }
  return undefined;
}

function isEscaped(source: string, at: number): boolean {
  let backslashes = 0;
  while (source[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

/** Whether an operator may follow the token. `*`, `%`, `and` and the like are values in prefix position. */
function endsValue({ text, prefix }: SourceToken): boolean {
  if ([")", "]", "}"].includes(text)) return true;
  if (["*", "**", "%", "and", "or", "in"].includes(text)) return prefix;
  return matchAt(OPERATOR, text, 0) === undefined || text.length > 2;
}

function matchAt(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}
