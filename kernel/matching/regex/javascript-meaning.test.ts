// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Script } from "node:vm";
import { RegExpParser } from "@eslint-community/regexpp";
import fc from "fast-check";
import { compileRegex } from "../regex.ts";
import { CaptureMachine } from "./capture-machine.ts";
import { compileProgram, NoProgram, type Program } from "./program.ts";
import { SetMachine } from "./set-machine.ts";

/** Number of pairs of pattern and text. CONTRIBUTING.md has the command for a longer run. */
const RUNS = Number(process.env["REGEX_RUNS"] ?? 1_000);

const PARSER = new RegExpParser({ ecmaVersion: 2025, strict: false });

/** Characters on which engines often disagree: case pairs, white space, line ends, surrogates. */
const CHARS = [
  ..."aaabbcABkKsSiI01_- xX{}]:ßéÉµΜσςΣ".split(""),
  "\u017f",
  "\u212a",
  "\u0130",
  "\u0131",
  "\u01c5",
  "\u1e9e",
  "\u00a0",
  "\u3000",
  "\ufeff",
  "\u0085",
  "\u180e",
  "\n",
  "\r",
  "\u2028",
  "\u2029",
  "\v",
  "\0",
  "\b",
  "\ud83d",
  "\ude00",
  "😀",
];

const text = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 7 });

const literal = fc.constantFrom(...CHARS.filter((char) => !/^[-\r\n\u2028\u2029{}\]]$/.test(char)));
const escape = fc.constantFrom(
  ..."d D w W s S t n r v f 0 b".split(" ").map((letter) => `\\${letter}`),
  ..."A z Z Q E p{L} pL h u{61} x4 x41 u0061 u006 cJ c 1 07 377 e - / k"
    .split(" ")
    .map((rest) => `\\${rest}`),
);
const member = fc.oneof(
  { weight: 4, arbitrary: literal },
  { weight: 2, arbitrary: escape },
  {
    weight: 1,
    arbitrary: fc.constantFrom("[:alpha:", "a-\\d", "\\w-z", "^", "a-c", "A-Z", "\\u0100-\\u024f", "-"),
  },
);
const charClass = fc
  .tuple(fc.constantFrom("", "", "^"), fc.array(member, { maxLength: 4 }))
  .map(([negate, members]) => `[${negate}${members.join("")}]`);
const atom = fc.oneof(
  { weight: 6, arbitrary: literal },
  { weight: 2, arbitrary: fc.constantFrom(".", "a", "b") },
  { weight: 2, arbitrary: escape },
  { weight: 2, arbitrary: charClass },
  { weight: 2, arbitrary: fc.constantFrom("^", "$", "\\b", "\\B", "") },
  { weight: 1, arbitrary: fc.constantFrom("{", "}", "]", "a{,2}", "x{", "(?<n>a)", "[[:alpha:]]") },
);
const repeat = fc.constantFrom(
  "",
  "",
  "",
  "",
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "??",
  "{2}",
  "{0,2}",
  "{1,3}?",
  "{2,}",
  "{0}",
  "{0,}?",
);

const { pattern } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc
    .array(tie("sequence"), { minLength: 1, maxLength: 2 })
    .map((alternatives) => alternatives.join("|")),
  sequence: fc
    .array(fc.tuple(tie("part"), repeat), { maxLength: 3 })
    .map((parts) =>
      parts.map(([part, times]) => (/^$|^[\^$*+?{]$|^\\[bB]$/.test(part) ? part : part + times)).join(""),
    ),
  part: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 5, arbitrary: atom },
    { weight: 2, arbitrary: tie("pattern").map((inside) => `(${inside})`) },
    { weight: 1, arbitrary: tie("pattern").map((inside) => `(?:${inside})`) },
  ),
}));

const flags = fc.constantFrom("", "", "i", "m", "im", "s", "ims");

/** undefined for patterns that JavaScript refuses, and for backreferences. */
function programOf(source: string, given: string): Program | undefined {
  try {
    void new RegExp(source, given);
  } catch {
    return undefined;
  }
  try {
    return compileProgram(PARSER.parsePattern(source), given);
  } catch (error: unknown) {
    if (error instanceof NoProgram && error.message.startsWith("backreferences")) return undefined;
    throw error;
  }
}

/** Shared with {@link UNDER_A_DEADLINE}, since a script sees no local variable. */
const shared = globalThis as { runNative?: () => unknown };
const UNDER_A_DEADLINE = new Script("runNative()");

/**
 * The result of JavaScript's own engine; the pair is skipped when that takes more than 100 ms. One pair in
 * about a hundred thousand needs exponential time there: loops with a least number of rounds, in each other.
 */
function native<T>(run: () => T): T {
  shared.runNative = run;
  try {
    return UNDER_A_DEADLINE.runInThisContext({ timeout: 100 }) as T;
  } catch (error: unknown) {
    if ((error as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return fc.pre(false) as never;
  } finally {
    delete shared.runNative;
  }
}

describe("the linear engine", () => {
  it("finds the same matches and groups as JavaScript's own engine", function () {
    this.timeout(20_000 + RUNS * 10);
    let compared = 0;
    fc.assert(
      fc.property(pattern, flags, text, fc.nat(9), (source, given, subject, offset) => {
        const program = programOf(source, given);
        if (program === undefined) return;
        compared++;
        const from = Math.min(offset, subject.length);
        const global = new RegExp(source, `${given}gd`);
        global.lastIndex = from;
        const expected = native(() => global.exec(subject));
        const slots = new CaptureMachine(program).find(subject, from, undefined);
        assert.deepEqual(
          slots && [...slots],
          expected?.indices?.flatMap((range: [number, number] | undefined) => range ?? [-1, -1]),
        );
        const begins = new SetMachine(program, false).search(subject, from, undefined);
        assert.ok(expected === null ? begins === -1 : begins >= from && begins <= expected.index);
        const whole = new RegExp(`(?:${source})(?![^])`, `${given}y`);
        const matches = native(() => whole.test(subject));
        assert.equal(new SetMachine(program, true).search(subject, 0, undefined) >= 0, matches);
      }),
      { numRuns: RUNS },
    );
    assert.ok(compared > RUNS / 2, `${compared} of ${RUNS} were compared`);
  });

  it("gives the same results whichever engine is chosen, and keeps no state between texts", function () {
    this.timeout(20_000 + RUNS * 10);
    const texts = fc.array(text, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(pattern, flags, texts, fc.nat(9), (source, given, subjects, offset) => {
        if (programOf(source, given) === undefined) return;
        const compiled = compileRegex(source, given);
        assert.ok(compiled.ok, compiled.ok ? "" : compiled.message);
        for (const subject of subjects) {
          const expected = native(() => new RegExp(source, given).exec(subject));
          const found = compiled.regex.find(subject, 0);
          assert.deepEqual(
            found && [found.index, ...found.groups],
            expected && [expected.index, ...expected],
          );
          assert.equal(compiled.regex.test(subject), expected !== null);
          const finder = new RegExp(source, `g${given}`);
          finder.lastIndex = Math.min(offset, subject.length);
          const later = native(() => finder.exec(subject));
          const foundLater = compiled.regex.find(subject, Math.min(offset, subject.length));
          assert.deepEqual(
            foundLater && [foundLater.index, ...foundLater.groups],
            later && [later.index, ...later],
          );
        }
      }),
      { numRuns: RUNS },
    );
  });
});
