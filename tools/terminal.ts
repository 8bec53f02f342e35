// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The presentation of text on an output stream. */
export interface Style {
  /** Marks such as `◀ decides`; ASCII where others may not be displayed. */
  readonly marks: Marks;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
}

export type Paint = (text: string) => string;

export interface Marks {
  readonly decides: string;
  readonly ellipsis: string;
  readonly branch: string;
  readonly last: string;
  readonly trunk: string;
}

const FANCY: Marks = { decides: "◀ decides", ellipsis: "…", branch: "├ ", last: "└ ", trunk: "│ " };
const PLAIN: Marks = { decides: "<- decides", ellipsis: "...", branch: "  ", last: "  ", trunk: "  " };

/**
 * The style that a stream and its environment support: colour only on a terminal, and not with NO_COLOR
 * (https://no-color.org).
 */
export function styleOf(
  stream: { readonly isTTY?: boolean | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const terminal = stream.isTTY === true;
  const { NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG } = environment;
  const colour = terminal && (NO_COLOR ?? "") === "" && TERM !== "dumb";
  const utf8 = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
  const paint =
    (code: number): Paint =>
    (text) =>
      colour && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text;
  return {
    marks: terminal && utf8 ? FANCY : PLAIN,
    bold: paint(1),
    dim: paint(2),
    good: paint(32),
    bad: paint(31),
  };
}

/** Escapes control characters: paths, ids and keys come from clients and must not control the terminal. */
export function visible(text: string): string {
  return text.replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
  );
}
