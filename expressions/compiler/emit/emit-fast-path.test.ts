// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { FastType } from "../../functions/fast-path.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import { compile } from "../../index.ts";

const TEXT = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "A", "-", " ", "1", "0", "é", "😀", "\n"), maxLength: 8 }),
  fc.constantFrom("2026-01-31T12:00:00.000Z", "1e3", "-", "a".repeat(300)),
);
const NUMBER = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0.5, -1.5, 1e12));

/** Mostly values of the type that a fast path takes; sometimes another value, or none. */
function valuesOf(type: FastType): fc.Arbitrary<unknown> {
  const typed = { string: TEXT, number: NUMBER, array: fc.array(fc.oneof(TEXT, NUMBER), { maxLength: 4 }) };
  // An absent argument is a case of its own in many fast paths.
  const others = fc.constantFrom<unknown>(
    undefined,
    undefined,
    undefined,
    null,
    true,
    "a",
    1,
    [],
    ["a", "b"],
    [1, 2],
    {},
  );
  return fc.oneof({ weight: 4, arbitrary: typed[type] }, { weight: 1, arbitrary: others });
}

/** Evaluates an expression to its value or the code of its error, as text. */
function evaluator(source: string): (input: unknown) => string {
  const { engine, evaluate } = compile(source);
  assert.equal(engine, "compiled", source);
  return (input) => {
    try {
      return JSON.stringify(evaluate(input)) ?? "no value";
    } catch (error: unknown) {
      return `error ${String((error as { readonly code?: unknown }).code)}`;
    }
  };
}

describe("a typed fast path", () => {
  it("leaves an argument of a wrong type to the call, although the first argument is absent", () => {
    const calls = ['$substring(x.a, "a")', '$substring(x.a, 1, "a")', "$contains(x.a, 1)", "$split(x.a, 1)"];
    for (const call of calls) assert.match(evaluator(call)({ x: {} }), /^error T041[01]$/, call);
    assert.equal(evaluator("$substring(x.a, 1)")({ x: {} }), "no value");
  });

  for (const { name, fastPaths = [] } of FUNCTIONS.values())
    for (const path of fastPaths) {
      if (path.kind !== "typed") continue;
      const names = path.types.map((_, index) => `x.${"abc"[index]}`).join(", ");
      const item = path.ofItem === true ? "[1]" : "";
      it(`gives the value of the call for $${name}(${path.types.join(", ")})${item}`, () => {
        // A function that is bound to a name is called: the compiler does not know which one it is.
        const called = evaluator(`($f := $${name}; $f(${names})${item})`);
        const fast = evaluator(`$${name}(${names})${item}`);
        fc.assert(
          fc.property(fc.tuple(...path.types.map(valuesOf)), (values) => {
            const [a, b, c] = values;
            const input = { x: { a, b, c } };
            assert.equal(fast(input), called(input));
          }),
          { numRuns: 100 },
        );
      });
    }
});
