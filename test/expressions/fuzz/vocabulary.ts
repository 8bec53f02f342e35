// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Words that inputs and expressions share. Each name usually holds one type of value, so that most paths find
 * a value and most operators get operands of their type.
 */
export const NAMES_BY_TYPE = {
  number: ["n", "m"],
  string: ["s", "d"],
  boolean: ["b"],
  numbers: ["xs"],
  strings: ["ss"],
  objects: ["os", "ps"],
  object: ["o"],
  any: ["x", "z"],
} as const;

/**
 * Names with a meaning in JavaScript, or that need quotes. Without the names of the reference's own marks of
 * arrays and functions: it takes data with such a name for its own.
 */
export const HARD_NAMES = [
  "constructor",
  "__proto__",
  "prototype",
  "length",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
  "push",
  "and",
  "or",
  "in",
  "function",
  "null",
  "a b",
  "x-y",
  "",
  "é",
  "😀",
  "$",
  "%",
  "*",
  "0",
  "10",
  "2",
  "a.b",
];

export const SMALL_NUMBERS = [0, 1, 2, 3, 4, 5, 7, 10];
export const HARD_NUMBERS = [
  -1, -2, -0, 0.5, 1.5, 2.5, -1.5, 0.1, 0.2, 1e-7, 1e21, 1e100, 1.7976931348623157e308, 5e-324,
  9007199254740991, 9007199254740994, 123456.789, 1521801216617, 3.141592653589793, 255, 1000, -100,
];

export const PLAIN_STRINGS = ["a", "b", "ab", "hello", "Hello World", "a,b,c", "1", "10", "aXbXc"];
export const HARD_STRINGS = [
  "",
  " ",
  "  a  b\n\tc ",
  "-1.5",
  "0x1F",
  "0b11",
  "1e3",
  "true",
  "null",
  "é",
  "e\u0301",
  "ß",
  "ΑΣ",
  "😀",
  "a😀b",
  "\ud800",
  "\udc00x",
  "__proto__",
  "constructor",
  'quo"te',
  "it's",
  "back\\slash",
  "$1$&",
  "100%",
  "%E4%BD%A0",
  "aGVsbG8=",
  "http://a.b/c d?e=é&f=1",
  "2018-03-27",
  "2017-05-15T15:12:59.152Z",
  "twenty-one",
  "XIV",
];

export const REGEXES = [
  "/a/",
  "/[a-z]+/",
  "/(a)(x)?/",
  "/A/i",
  "/^h/m",
  "/\\d+/",
  "/,\\s*/",
  "/(?<l>l)/",
  "/./",
  "/X|b/",
  "/a*/",
  "/(a)|(b)/",
  "/\\//",
  "/é/i",
];

export const NUMBER_PICTURES = [
  "0",
  "#,##0.00",
  "#,###.##",
  "00.000",
  "0.0e0",
  "01%",
  "0‰",
  "#0;(#0)",
  "[0]",
  "#",
  "0.#0",
  "0,0,0",
  "#,##,##0.0#",
  "a",
  "",
];
export const INTEGER_PICTURES = [
  "0",
  "001",
  "#,##0",
  "I",
  "i",
  "A",
  "a",
  "w",
  "W",
  "Ww",
  "0;o",
  "w;o",
  "①",
  "x",
];
export const DATE_PICTURES = [
  "[Y0001]-[M01]-[D01]",
  "[D1o] [MNn] [Y]",
  "[H01]:[m01]:[s01].[f001]",
  "[h]:[m] [P]",
  "[FNn], [D] [MNn,3-3] [Y0001] [Z]",
  "[Y]-[d]",
  "[XNn]",
  "[W]-[w]-[F1]",
  "[YI] [Mi] [Dw]",
  "[[x]] [Y,2]",
  "[C] [E]",
  "[q]",
  "[Y",
];
export const TIMEZONES = ["+0100", "-0530", "+0000", "0", "bad"];

/** Bindings of every evaluation, besides those of the expression. */
export const OUTER_BINDINGS = {
  ext: 3,
  text: "outer",
  list: [1, 2, "a"],
  record: { n: 1, os: [{ n: 2 }, { n: 3, s: "b" }] },
} as const;
