// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DIGITS, union, WORD } from "./char-set.ts";
import {
  allBut,
  type CodePoints,
  foldCase,
  halvesSource,
  POSIX_CLASSES,
  RE2_SPACE,
  setSource,
} from "./re2-sets.ts";

/**
 * Translates an RE2 pattern (google/re2, doc/syntax.txt, as Istio and Envoy use it) into a JavaScript pattern
 * that matches the same whole texts. Groups capture nothing, and greediness is dropped, as neither changes
 * which texts match. Constructs that JavaScript cannot express are refused.
 *
 * @throws {Re2SyntaxError}
 */
export function translateRe2(pattern: string): string {
  return new Translator(pattern, false).translate();
}

/**
 * As `translateRe2`, for searches that use the match: groups capture, by number, and greediness is kept. The text
 * must have no surrogates, as a canonical path has none. The caller must refuse the patterns that
 * `searchDifference` names.
 *
 * @throws {Re2SyntaxError} Also for the flag `U`.
 */
export function translateRe2Search(pattern: string): string {
  return new Translator(pattern, true).translate();
}

/** Reason that a pattern is refused, for its author. */
export class Re2SyntaxError extends Error {}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

/** A part of the pattern that a repeat may follow. */
interface Atom {
  readonly source: string;
  /**
   * The set by code units, when it has all characters beyond U+FFFF: repeated any number of times, it matches
   * the same texts.
   */
  readonly halves?: string | undefined;
}

/** RE2's own bound on repeat counts. */
const MAX_REPEAT = 1_000;
const MAX_DEPTH = 200;
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const HINTS: Readonly<Record<string, string>> = {
  Z: "write \\z",
  G: "RE2 has no \\G",
  K: "RE2 has no \\K",
  h: "write [ \\t]",
  p: "Unicode classes are not supported here: list the characters",
  P: "Unicode classes are not supported here: list the characters",
  C: "single bytes are not supported here",
  k: "RE2 has no backreferences",
  u: "write \\x{…}",
};

class Translator {
  readonly #pattern: string;
  /** False with `\B`, which would match between the surrogates of a pair. */
  readonly #byHalves: boolean;
  /** Whether groups and greediness matter. */
  readonly #forSearch: boolean;
  #at = 0;
  #depth = 0;

  constructor(pattern: string, forSearch: boolean) {
    this.#pattern = pattern;
    this.#forSearch = forSearch;
    this.#byHalves = !pattern.includes("\\B");
  }

  translate(): string {
    const source = this.#alternatives({ ignoreCase: false, dotAll: false });
    if (this.#at < this.#pattern.length) throw this.#fault("unexpected )");
    return source;
  }

  /** Parses up to the end or a `)`. Flags set within hold until there. */
  #alternatives(outer: Flags): string {
    if (++this.#depth > MAX_DEPTH) throw this.#fault("the pattern nests too deeply");
    let flags = outer;
    let source = "";
    while (this.#at < this.#pattern.length && !this.#sees(")")) {
      if (this.#takes("|")) source += "|";
      else if (this.#takes("\\Q")) source += this.#quoted(flags);
      else {
        const setting = this.#flagSetting(flags);
        if (setting === undefined) source += this.#repeated(this.#atom(flags));
        else flags = setting;
      }
    }
    this.#depth--;
    return source;
  }

  #quoted(flags: Flags): string {
    let source = "";
    while (this.#at < this.#pattern.length && !this.#takes("\\E")) {
      const atom = this.#literal(this.#codePoint(), flags);
      // A repeat after the quotation applies to its last character.
      const isLast = this.#takes("\\E");
      source += isLast ? this.#repeated(atom) : atom.source;
      if (isLast) break;
    }
    return source;
  }

  /** Parses `(?i)`, which holds for the rest of the group; undefined when there is no such setting here. */
  #flagSetting(flags: Flags): Flags | undefined {
    const found = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?\)/.exec(this.#pattern.slice(this.#at, this.#at + 20));
    if (found === null) return undefined;
    const set = this.#flags(flags, found[1] ?? "", found[2] ?? "");
    this.#at += found[0].length;
    return set;
  }

  #flags(flags: Flags, on: string, off: string): Flags {
    let result = flags;
    for (const [letters, value] of [
      [on, true],
      [off, false],
    ] as const)
      for (const letter of letters) {
        if (letter === "i") result = { ...result, ignoreCase: value };
        else if (letter === "s") result = { ...result, dotAll: value };
        else if (letter === "m" && value)
          throw this.#fault(
            this.#forSearch
              ? "flag m is not supported: a path has no lines"
              : "flag m is not supported: the whole value must match",
          );
        else if (letter === "U" && this.#forSearch)
          throw this.#fault("flag U is not supported here: write *? for *");
        else if (letter !== "m" && letter !== "U") throw this.#fault(`unknown flag ${letter}`);
      }
    return result;
  }

  #atom(flags: Flags): Atom {
    if (this.#counts() !== undefined) throw this.#fault("a repeat has nothing before it");
    const { dotAll } = flags;
    switch (this.#pattern[this.#at]) {
      case "(":
        return this.#group(flags);
      case "[":
        return this.#class(flags);
      case ".":
        this.#at++;
        return ofSet(allBut(dotAll ? [] : [[0x0a, 0x0a]]));
      case "^":
      case "$":
        return { source: `(?:${this.#pattern[this.#at++]})` };
      case "\\":
        return this.#escape(flags);
      default:
        return this.#literal(this.#codePoint(), flags);
    }
  }

  #group(outer: Flags): Atom {
    let flags = outer;
    this.#at++;
    if (this.#sees("?=") || this.#sees("?!") || this.#sees("?<=") || this.#sees("?<!"))
      throw this.#fault("RE2 has no lookahead or lookbehind");
    const rest = this.#pattern.slice(this.#at, this.#at + 100);
    const named = /^\?P?<\w+>/.exec(rest);
    const flagged = /^\?([a-zA-Z]*)(?:-([a-zA-Z]+))?:/.exec(rest);
    if (named !== null) this.#at += named[0].length;
    else if (flagged !== null) {
      flags = this.#flags(flags, flagged[1] ?? "", flagged[2] ?? "");
      this.#at += flagged[0].length;
    } else if (this.#sees("?")) throw this.#fault("RE2 has no such group");
    const inside = this.#alternatives(flags);
    if (!this.#takes(")")) throw this.#fault("missing closing )");
    const captures = this.#forSearch && flagged === null;
    return { source: captures ? `(${inside})` : `(?:${inside})` };
  }

  #repeated(atom: Atom): string {
    const counts = this.#counts();
    if (counts === undefined) return atom.source;
    const isLazy = this.#takes("?");
    if (this.#sees("+")) throw this.#fault("RE2 has no possessive quantifiers: leave out the second +");
    if (this.#counts() !== undefined)
      throw this.#fault("a repeat of a repeat: put parentheses around the first");
    const [min, max] = counts;
    const lazy = this.#forSearch && isLazy ? "?" : "";
    if (max === undefined && atom.halves !== undefined && this.#byHalves)
      return `${min === 0 ? "" : `${atom.source}{${min}}`}${atom.halves}*${lazy}`;
    return `${atom.source}{${min},${max ?? ""}}${lazy}`;
  }

  #counts(): readonly [min: number, max: number | undefined] | undefined {
    if (this.#takes("*")) return [0, undefined];
    if (this.#takes("+")) return [1, undefined];
    if (this.#takes("?")) return [0, 1];
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 20));
    if (found === null) return undefined;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === "" ? undefined : Number(found[3]);
    if (Math.max(min, max ?? 0) > MAX_REPEAT || min > (max ?? min)) throw this.#fault("invalid repeat count");
    this.#at += found[0].length;
    return [min, max];
  }

  #escape(flags: Flags): Atom {
    for (const [escape, source] of [
      ["\\A", "^"],
      ["\\z", "$"],
      ["\\b", "\\b"],
      ["\\B", "\\B"],
    ] as const)
      if (this.#takes(escape)) return { source: `(?:${source})` };
    const set = this.#escapedSet(flags);
    return set === undefined ? this.#literal(this.#escapedCharacter(), flags) : ofSet(set);
  }

  /** Parses `\d` and the like; undefined when there is none here. */
  #escapedSet(flags: Flags): CodePoints | undefined {
    const sets: Readonly<Record<string, CodePoints>> = { d: DIGITS, w: WORD, s: RE2_SPACE };
    const letter = this.#pattern[this.#at + 1] ?? "";
    const ranges = this.#sees("\\") ? sets[letter.toLowerCase()] : undefined;
    if (ranges === undefined) return undefined;
    this.#at += 2;
    const isNegated = letter !== letter.toLowerCase();
    return this.#named(ranges, isNegated, flags);
  }

  #escapedCharacter(): number {
    const [, octal, hex, wide] =
      /^\\(?:(0[0-7]{0,2}|[1-7][0-7]{1,2})|x([\da-fA-F]{2})|x\{([\da-fA-F]{1,6})\})/.exec(
        this.#pattern.slice(this.#at, this.#at + 12),
      ) ?? [];
    if (octal !== undefined) {
      this.#at += 1 + octal.length;
      return Number.parseInt(octal, 8);
    }
    const digits = hex ?? wide;
    if (digits !== undefined) {
      this.#at += hex === undefined ? digits.length + 4 : 4;
      const code = Number.parseInt(digits, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw this.#fault("no such character");
      return code;
    }
    this.#at++;
    if (this.#at >= this.#pattern.length) throw this.#fault("ends with a backslash that quotes nothing");
    const letter = this.#pattern[this.#at] as string;
    if (/[^\w\u0080-\uffff]/.test(letter)) return this.#codePoint();
    const control = CONTROL[letter];
    if (control === undefined) {
      const hint = /\d/.test(letter) ? "RE2 has no backreferences" : HINTS[letter];
      throw this.#fault(`\\${letter} is no escape of RE2${hint === undefined ? "" : `; ${hint}`}`);
    }
    this.#at++;
    return control;
  }

  #class(flags: Flags): Atom {
    const start = this.#at++;
    const isNegated = this.#takes("^");
    const listed: CodePoints[] = [];
    for (let first = true; first || !this.#sees("]"); first = false) {
      if (this.#at >= this.#pattern.length) {
        this.#at = start;
        throw this.#fault("missing closing ]");
      }
      listed.push(this.#posixClass(flags) ?? this.#escapedSet(flags) ?? this.#range(flags));
    }
    this.#at++;
    const set = union(listed.flat());
    return ofSet(isNegated ? allBut(set) : set);
  }

  #posixClass(flags: Flags): CodePoints | undefined {
    if (!this.#sees("[:")) return undefined;
    const [whole = "", negation, name = ""] =
      /^\[:(\^?)([a-z]+):\]/.exec(this.#pattern.slice(this.#at, this.#at + 20)) ?? [];
    // `[:` without its end is a bracket and a colon.
    if (whole === "") return undefined;
    const ranges = POSIX_CLASSES[name];
    if (ranges === undefined) throw this.#fault(`there is no class ${whole}`);
    this.#at += whole.length;
    return this.#named(ranges, negation === "^", flags);
  }

  /** RE2 folds named classes too: with flag i, `\w` has the Kelvin sign and the long s. */
  #named(given: CodePoints, isNegated: boolean, flags: Flags): CodePoints {
    const set = this.#folded(given, flags);
    return isNegated ? allBut(set) : set;
  }

  /** Parses one character of a class, or a range. */
  #range(flags: Flags): CodePoints {
    const first = this.#member();
    let last = first;
    if (this.#sees("-") && this.#pattern[this.#at + 1] !== "]" && this.#at + 1 < this.#pattern.length) {
      this.#at++;
      if (this.#escapedSet(flags) !== undefined) throw this.#fault("a class is no end of a range");
      last = this.#member();
    }
    if (last < first) throw this.#fault("a range is out of order");
    return this.#folded([[first, last]], flags);
  }

  #member(): number {
    return this.#sees("\\") ? this.#escapedCharacter() : this.#codePoint();
  }

  #literal(code: number, flags: Flags): Atom {
    return { source: setSource(this.#folded([[code, code]], flags)) };
  }

  #folded(given: CodePoints, { ignoreCase }: Flags): CodePoints {
    const folded = ignoreCase ? foldCase(given) : given;
    if (folded === undefined)
      throw this.#fault("letters beyond ASCII under flag i are not supported: write both cases");
    return folded;
  }

  #codePoint(): number {
    const code = this.#pattern.codePointAt(this.#at) as number;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #takes(text: string): boolean {
    const sees = this.#sees(text);
    if (sees) this.#at += text.length;
    return sees;
  }

  #fault(message: string): Re2SyntaxError {
    return new Re2SyntaxError(`${message}, at character ${this.#at + 1}`);
  }
}

function ofSet(set: CodePoints): Atom {
  return { source: setSource(set), halves: halvesSource(set) };
}
