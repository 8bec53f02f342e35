// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import fc from "fast-check";
import { compileRegex } from "../regex.ts";
import { type CharSet, charSetOf, contains } from "./char-set.ts";
import { MAX_STEPS_PER_CHAR, matchStepsPerChar, searchStepsPerChar } from "./linear-proof.ts";

const PARSER = new RegExpParser({ ecmaVersion: 2023, strict: true });

/** Patterns over few characters, so that their parts overlap often; `extra` adds kinds of atom. */
function patterns(...extra: string[]): fc.Arbitrary<string> {
  const char = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "[bc]", "\\w", "\\d");
  const repeat = fc.constantFrom("", "", "", "*", "+", "?", "*?", "+?", "{2}", "{0,3}", "{2,}", "{1,2}?");
  const { sequence } = fc.letrec<{ sequence: string; atom: string }>((tie) => ({
    sequence: fc
      .array(fc.tuple(tie("atom"), repeat), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.map(([atom, times]) => atom + (/^\(\?[=!]|^[$^]|^\\b/.test(atom) ? "" : times)))
      .map((parts) => parts.join("")),
    atom: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      char,
      tie("sequence").map((inner) => `(?:${inner})`),
      tie("sequence").map((inner) => `(${inner})`),
      fc.tuple(tie("sequence"), tie("sequence")).map(([left, right]) => `(?:${left}|${right})`),
      fc.constantFrom("$", "\\b"),
      ...extra.map((opening) => tie("sequence").map((inner) => `${opening}${inner})`)),
    ),
  }));
  return fc
    .tuple(fc.constantFrom("", "^"), sequence, fc.constantFrom("", "$"))
    .map((parts) => parts.join(""));
}

/** A text that provokes backtracking: one word repeated, and something else at the end. */
function pumpedTexts(length: number): fc.Arbitrary<string> {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "\n"), minLength: 1, maxLength: 4 });
  return fc
    .tuple(fc.constantFrom("", "a", "b", "ab"), word, fc.constantFrom("!", "\n", "a", "c", "b!"))
    .map(([head, pump, tail]) => head + pump.repeat(Math.ceil(length / pump.length)) + tail);
}

/** Backtracks as JavaScript's engines do, without their shortcuts, and counts the characters read. */
class Backtracker {
  #steps = 0;
  readonly #text: string;
  readonly #maxSteps: number;

  constructor(text: string, maxSteps: number) {
    this.#text = text;
    this.#maxSteps = maxSteps;
  }

  /** Whether the search ends within the steps. */
  searches(pattern: AST.Pattern, anchored: boolean): boolean {
    return this.#within(() => {
      for (let start = 0; start <= (anchored ? 0 : this.#text.length); start++)
        if (this.#anyOf(pattern.alternatives, start, () => true)) return;
    });
  }

  matches(pattern: AST.Pattern): boolean {
    return this.#within(() => {
      this.#anyOf(pattern.alternatives, 0, (at) => at === this.#text.length);
    });
  }

  #within(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error: unknown) {
      if (error === TOO_MANY) return false;
      throw error;
    }
  }

  #anyOf(alternatives: readonly AST.Alternative[], at: number, go: (at: number) => boolean): boolean {
    return alternatives.some(({ elements }) => this.#all(elements, 0, at, go));
  }

  #all(parts: readonly AST.Element[], index: number, at: number, go: (at: number) => boolean): boolean {
    const part = parts[index];
    return part === undefined ? go(at) : this.#one(part, at, (next) => this.#all(parts, index + 1, next, go));
  }

  #one(part: AST.Element, at: number, go: (at: number) => boolean): boolean {
    switch (part.type) {
      case "Group":
      case "CapturingGroup":
        return this.#anyOf(part.alternatives, at, go);
      case "Quantifier":
        return this.#repeat(part, 0, at, go);
      case "Assertion":
        return this.#holds(part, at) && go(at);
      default:
        if (++this.#steps > this.#maxSteps) throw TOO_MANY;
        return reads(part.raw, this.#text.charAt(at)) && go(at + 1);
    }
  }

  #repeat(quantifier: AST.Quantifier, done: number, at: number, go: (at: number) => boolean): boolean {
    const { min, max, greedy, element } = quantifier;
    const again = () =>
      done < max &&
      this.#one(
        element,
        at,
        (next) => !(next === at && done >= min) && this.#repeat(quantifier, done + 1, next, go),
      );
    const stop = () => done >= min && go(at);
    return greedy ? again() || stop() : stop() || again();
  }

  #holds(assertion: AST.Assertion, at: number): boolean {
    if (assertion.kind === "lookahead")
      return this.#anyOf(assertion.alternatives, at, () => true) !== assertion.negate;
    const zeroWidth = new RegExp(assertion.raw, "y");
    zeroWidth.lastIndex = at;
    return zeroWidth.test(this.#text);
  }
}

const TOO_MANY = new Error("more steps than are allowed");

const readers = new Map<string, RegExp>();
function reads(raw: string, char: string): boolean {
  const reader = readers.get(raw) ?? new RegExp(`^${raw}$`);
  readers.set(raw, reader);
  return reader.test(char);
}

function stepsFor(text: string, stepsPerChar = MAX_STEPS_PER_CHAR): number {
  // One more step for each character that an open end may read after everything else.
  return (stepsPerChar + 1) * (text.length + 1);
}

describe("a pattern proven to take linear time", () => {
  it("takes a backtracking matcher no more steps than the proof allows", () => {
    let proven = 0;
    fc.assert(
      fc.property(patterns("(?=", "(?!"), pumpedTexts(400), (source, text) => {
        const pattern = PARSER.parsePattern(source);
        const steps = searchStepsPerChar(pattern, "");
        if (steps !== undefined) {
          proven++;
          assert.ok(steps <= MAX_STEPS_PER_CHAR);
          const matcher = new Backtracker(text, stepsFor(text, steps));
          assert.ok(matcher.searches(pattern, source.startsWith("^")), "search");
        }
        const matchSteps = matchStepsPerChar(pattern, "");
        if (matchSteps !== undefined)
          assert.ok(new Backtracker(text, stepsFor(text, matchSteps)).matches(pattern), "match");
      }),
      { numRuns: 250 },
    );
    assert.ok(proven > 20, `${proven} of 250 were proven`);
  });

  it("is distinguished by this bound from patterns that take more steps", () => {
    for (const [source, pump] of [
      ["(a+)+$", "a"],
      ["^(a|aa)+$", "a"],
      ["^a*a*b", "a"],
      ["(a|b)+c", "ab"],
    ] as const) {
      const text = `${pump.repeat(400 / pump.length)}!`;
      const pattern = PARSER.parsePattern(source);
      assert.equal(new Backtracker(text, stepsFor(text)).searches(pattern, false), false, source);
    }
  });

  it("matches 64 KiB in less than 250 ms", () => {
    fc.assert(
      fc.property(patterns("(?=", "(?!"), pumpedTexts(65_536), (source, text) => {
        const pattern = PARSER.parsePattern(source);
        if (searchStepsPerChar(pattern, "") === undefined) return;
        const native = new RegExp(source);
        // Best of three runs, as other processes may take the CPU for a while.
        const times = [1, 2, 3].map(() => {
          const started = performance.now();
          native.test(text);
          return performance.now() - started;
        });
        assert.ok(Math.min(...times) < 250, `${times.join(", ")} ms`);
      }),
      { numRuns: 200 },
    );
  });

  // V8 no longer optimizes patterns once a process has compiled many, and then needs twice the stack: 0.94
  // MiB was the longest text for the fourth of these loops (node --no-regexp-optimization).
  it("matches 0.5 MiB without running out of stack", () => {
    const loops = [
      "(?:(a)|(b))*",
      "(?:(?:a|b)(?:bc){0,9}?(?:bd){0,9}?)*",
      "(?:a(b)*?(?:cc)??)*?",
      "(?:a(?:bc)*?d??e??(?:|f))+",
      "(?=a)(?:[ab](?!c)(?=.|$))*",
      ".*",
    ];
    for (const loop of loops) {
      const compiled = compileRegex(`^${loop}(?:!|$)`);
      assert.ok(compiled.ok && compiled.regex.engine === "native", loop);
      const text = "a".repeat(2 ** 19 - 1);
      assert.equal(compiled.regex.test(`${text}!`), true, loop);
      assert.equal(compiled.regex.test(`${text}\n`), false, loop);
      assert.equal(compiled.regex.matches(text), true, loop);
    }
  });
});

describe("a set of characters", () => {
  it("has exactly the characters that JavaScript matches", () => {
    const sources =
      "a|Z|-|.|\\d|\\D|\\W|\\S|\\u017f|\\u212a|[a-f]|[^a-f]|[^\\s,]|[\\d_-]|[^\\W]|[]|[^]|[K\\u212a]|[^\\u017f]|[\\b]|[à-ÿ]|[^à-ÿ]|[ǅ]|[^\\W_]|\\u1e9e|[ς]".split(
        "|",
      );
    for (const source of sources) {
      for (const flags of ["", "is"]) {
        const [node] = PARSER.parsePattern(source).alternatives[0]?.elements ?? [];
        assert.ok(
          node?.type === "Character" || node?.type === "CharacterSet" || node?.type === "CharacterClass",
        );
        const set: CharSet | undefined = charSetOf(node, flags);
        assert.ok(set !== undefined);
        const native = new RegExp(`^${source}$`, flags);
        for (let unit = 0; unit <= 0xffff; unit++) {
          const matched = native.test(String.fromCharCode(unit));
          if (contains(set, unit) !== matched) assert.fail(`/${source}/${flags} on ${unit}`);
        }
      }
    }
  });
});
