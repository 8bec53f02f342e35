// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A construct of another regular-expression dialect in a JavaScript pattern without flag `u`. */
export interface ForeignConstruct {
  /** Offsets in the pattern, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** JavaScript's meaning of the construct, and what to write. */
  readonly message: string;
  /** Replacement text, where it is certain. */
  readonly suggestion?: string;
}

type Rule = (
  found: RegExpExecArray,
  inClass: boolean,
) => Pick<ForeignConstruct, "message" | "suggestion"> | undefined;

const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\s",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/** Escapes that JavaScript reads as plain letters. */
const ESCAPES: Readonly<
  Record<string, { readonly meant: string; readonly instead?: string; readonly inClass?: string }>
> = {
  A: { meant: "the start of the text", instead: "^" },
  z: { meant: "the end of the text", instead: "$" },
  Z: { meant: "the end of the text", instead: "$" },
  h: { meant: "a space or a tab", instead: "[ \\t]", inClass: " \\t" },
  R: { meant: "a line end", instead: "(?:\\r\\n|\\n|\\r)" },
  a: { meant: "a bell", instead: "\\x07", inClass: "\\x07" },
  e: { meant: "an escape", instead: "\\x1b", inClass: "\\x1b" },
  G: { meant: "the end of the last match" },
  K: { meant: "a match that begins here" },
  X: { meant: "a whole character" },
};

const FLAG_MEANINGS: Readonly<Record<string, string>> = {
  i: "flag i behind the pattern: /…/i",
  m: "flag m behind the pattern: /…/m",
  s: "[^] in place of a dot that may be a line end",
  x: "the pattern without spaces and comments",
  U: "a ? behind each repeat that is to be short",
  u: "the characters or ranges themselves",
};

/** Rules tried in turn at each position of the pattern that is not behind a backslash. */
const RULES: readonly (readonly [start: RegExp, rule: Rule])[] = [
  [
    /\\Q(.*?)(?:\\E|$)/sy,
    ([, quoted = ""], inClass) =>
      inClass
        ? undefined
        : {
            message: "\\Q and \\E are the letters Q and E: quote each character with a backslash",
            suggestion: quoted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"),
          },
  ],
  [
    /\\[pP](?:\{\^?(\w+(?:=\w+)?)\}|([A-Z]))/y,
    ([whole]) => ({
      message: `${whole} is text, as Unicode classes need a flag that JSONata does not have: list the characters or ranges`,
    }),
  ],
  [
    /\\[xu]\{([\da-fA-F]{1,4})\}/y,
    ([whole, digits = ""]) => ({
      message: `${whole} is a repeated letter: write \\u and four digits`,
      suggestion: `\\u${digits.padStart(4, "0")}`,
    }),
  ],
  [
    /\\([AzZhRaeGKX])/y,
    ([whole, letter = ""], inClass) => {
      const { meant, instead, inClass: within } = ESCAPES[letter] as (typeof ESCAPES)[string];
      const suggestion = inClass ? within : instead;
      const remedy = suggestion === undefined ? `JavaScript has no equivalent` : `write ${suggestion}`;
      return {
        message: `${whole} is the letter ${letter}, and not ${meant}: ${remedy}`,
        ...(suggestion === undefined ? {} : { suggestion }),
      };
    },
  ],
  [
    /\[:(\^?)([a-z]+):\]/y,
    ([whole, negation, name = ""], inClass) => {
      const suggestion = POSIX[name];
      if (!inClass || suggestion === undefined) return undefined;
      const message = `${whole} is a list of letters and no class: write ${negation === "^" ? `[^${suggestion}]` : suggestion}`;
      return negation === "^" ? { message } : { message, suggestion };
    },
  ],
  [
    /\{,(\d+)\}/y,
    ([whole, most], inClass) =>
      inClass
        ? undefined
        : { message: `${whole} is text and no repeat: write {0,${most}}`, suggestion: `{0,${most}}` },
  ],
  [
    /\(\?([a-zA-Z]*)(?:-[a-zA-Z]+)?[:)]/y,
    ([whole, flags = ""], inClass) => {
      if (inClass || whole === "(?:") return undefined;
      const instead = [...new Set(flags)].map((flag) => FLAG_MEANINGS[flag] ?? `flag ${flag} in another way`);
      return {
        message: `${whole} sets flags within a pattern, which JSONata's cannot: write ${instead.join(", and ") || "two patterns"}`,
      };
    },
  ],
  [
    /\(\?P<(\w+)>/y,
    ([, name = ""], inClass) =>
      inClass ? undefined : { message: `groups are named as in (?<${name}>…)`, suggestion: `(?<${name}>` },
  ],
  [
    /\(\?(?:>|\||#|P[=>]|R\)|&)/y,
    ([whole], inClass) =>
      inClass
        ? undefined
        : { message: `${whole} begins no group of JavaScript: write (?: …) or leave it out` },
  ],
  [
    /([*+?]|\{\d+(?:,\d*)?\})\+/y,
    ([whole, repeat = ""], inClass) =>
      inClass
        ? undefined
        : {
            message: `${whole} is a possessive repeat, which JavaScript does not have; matching takes linear time without: write ${repeat}`,
            suggestion: repeat,
          },
  ],
];

/** The foreign constructs in `pattern`, in order. */
export function foreignConstructs(pattern: string): readonly ForeignConstruct[] {
  const found: ForeignConstruct[] = [];
  let inClass = false;
  for (let at = 0; at < pattern.length; ) {
    const construct = constructAt(pattern, at, inClass);
    if (construct !== undefined) {
      found.push(construct);
      at = construct.end;
      continue;
    }
    const char = pattern[at];
    if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    at += char === "\\" ? 2 : 1;
  }
  return found;
}

function constructAt(pattern: string, at: number, inClass: boolean): ForeignConstruct | undefined {
  for (const [start, rule] of RULES) {
    start.lastIndex = at;
    const match = start.exec(pattern);
    const construct = match === null ? undefined : rule(match, inClass);
    if (match !== null && construct !== undefined)
      return { start: at, end: at + match[0].length, ...construct };
  }
  return undefined;
}
