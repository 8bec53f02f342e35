// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import jsonata from "jsonata";
import type { AttributeBag, AttributePath, AttributeValue } from "../attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import { canonicalText } from "../../expressions/data.ts";
import { signatureOf } from "../attributes/signature.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import { type Expression } from "./expression.ts";
import { compileWithJsonata } from "./jsonata-engine.ts";

/*
 * The promises that caching rests on, held for random expressions over random bags. Bags are small and their names
 * few, so that expressions often hit what is there; some names are JSONata's own marks.
 */

const NAMES = ["a", "b", "c", "x-y", "sequence", "then", "tupleStream"];
const name = fc.constantFrom(...NAMES);

const value = fc.letrec<{ value: AttributeValue; leaf: AttributeValue }>((tie) => ({
  leaf: fc.constantFrom<AttributeValue>("", "a", "b", 0, 1, 2, true, false, null),
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 3, arbitrary: tie("leaf") },
    { weight: 3, arbitrary: fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
  ),
})).value;
const bag = fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<AttributeBag>;

const quoted = name.map((text) => (/^\w+$/.test(text) ? text : `"${text}"`));
const plainPath = fc.array(quoted, { minLength: 1, maxLength: 3 }).map((steps) => steps.join("."));

const expression = fc.letrec<{ any: string; path: string }>((tie) => {
  const of = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc
      .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
      .map((texts) => texts.join(""));
  const any = tie("any");
  const path = tie("path");
  const operator = fc.constantFrom("=", "!=", "<", ">=", "&", "in", "and", "or", "+", "?:", "??");
  const unary = fc.constantFrom(
    ..."exists not boolean string count keys type spread length sum distinct merge sort reverse number".split(
      " ",
    ),
  );
  return {
    path: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 5, arbitrary: plainPath },
      of(path, "[", any, "]"),
      of(path, "[0]"),
      of(path, "[]"),
      of(path, ".*"),
      of(path, ".(", any, ")"),
      of(path, "^(", plainPath, ")"),
      of(path, "{", '"k": ', any, "}"),
      of(path, ".", plainPath),
      fc.constantFrom("$", "$$", "**", "*"),
      of("$$.", plainPath),
    ),
    any: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 5, arbitrary: path },
      fc.constantFrom('"a"', "1", "true", "null", "[1..2]", '["a", "b"]'),
      of("(", any, " ", operator, " ", any, ")"),
      of("(", any, " ? ", any, " : ", any, ")"),
      of("[", any, ", ", any, "]"),
      of('{"k": ', any, ', "l": ', any, "}"),
      of("$", unary, "(", any, ")"),
      of("$lookup(", any, ", ", any, ")"),
      of("$contains(", any, ", /a|b/)"),
      of("$map(", any, ", function($v) { $v.a & ", any, " })"),
      of("$filter(", any, ", function($v) { $v = ", any, " })"),
      of("$each(", any, ", function($v, $k) { $k & ", any, " })"),
      of("($v := ", any, "; $v.a & $string($v.b) & $string(", any, "))"),
      of(path, " ~> |", plainPath, '|{"z": 1}|'),
      of(any, "@$f.(", any, ")"),
      of(path, ".%.", plainPath),
    ),
  };
}).any;

/** Its value or its failure, as text. */
async function outcomeOf(compiled: Expression, reads: Reads): Promise<string> {
  try {
    return canonicalText((await compiled.evaluate(reads.bag, { nowMs: 0, reads })) as AttributeValue);
  } catch (error: unknown) {
    assert.ok(error instanceof ExpressionError, String(error));
    return `fails with ${error.code}`;
  }
}

/** Undefined for what the generator makes that is no expression. */
function compiled(source: string): Expression | undefined {
  const result = compileWithJsonata(source);
  return result.ok ? result.expression : undefined;
}

/** A bag that differs from `from` in one place. */
function changed(from: AttributeBag, path: AttributePath, to: AttributeValue | undefined): AttributeBag {
  const [step, ...rest] = path as [string, ...string[]];
  const inner = from[step];
  if (rest.length === 0) return { ...from, [step]: to };
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return from;
  return { ...from, [step]: changed(inner as AttributeBag, rest, to) };
}

const changes = fc.array(
  fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.oneof(value, fc.constant(undefined))),
  { minLength: 1, maxLength: 12 },
);

describe("what a recorder has noted of an expression", () => {
  it("tells an object without a property from an array whose items have it", async () => {
    for (const source of ["a.b", "$exists(a.b)", 'a.b ~> |b|{"z":1}|', 'a.b = "v"']) {
      const reads = new Reads({ a: {} });
      await outcomeOf(compiled(source) as Expression, reads);
      assert.equal(signatureOf({ a: [{ b: "v" }] }, reads.references()), undefined, source);
    }
  });

  it("is enough: any bag that agrees in it gives the same value", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(expression, bag, changes, async (source, original, edits) => {
        const evaluated = compiled(source);
        if (evaluated === undefined) return;
        const recorder = new Reads(original);
        const outcome = await outcomeOf(evaluated, recorder);
        const references = recorder.references();
        const signature = signatureOf(original, references);
        assert.notEqual(signature, undefined, "the bag itself agrees");
        let other = original;
        for (const [path, to] of edits) {
          const next = changed(other, path, to);
          // Keep changing what may change, so that the bags drift apart as far as the references let them.
          if (signatureOf(next, references) !== signature) continue;
          other = next;
          compared++;
          assert.equal(await outcomeOf(evaluated, new Reads(other)), outcome, JSON.stringify(other));
        }
        const reordered = withKeysReversed(original) as AttributeBag;
        assert.equal(await outcomeOf(evaluated, new Reads(reordered)), outcome, "the order of keys");
      }),
      { numRuns: 300 },
    );
    assert.ok(compared > 150, `only ${compared} agreeing bags`);
  });

  it("is minimal in form: no reference twice, none within an EXACT one", async () => {
    await fc.assert(
      fc.asyncProperty(expression, bag, async (source, original) => {
        const recorder = new Reads(original);
        const evaluated = compiled(source);
        if (evaluated !== undefined) await outcomeOf(evaluated, recorder);
        const seen = recorder
          .references()
          .map(({ path, condition }) => ({ condition, text: path.map((s) => `/${s}`).join("") }));
        assert.equal(new Set(seen.map(({ text }) => text)).size, seen.length);
        for (const { condition, text } of seen)
          for (const inner of seen)
            assert.ok(
              condition === "PRESENCE" || inner.text === text || !inner.text.startsWith(`${text}/`),
              text,
            );
      }),
      { numRuns: 300 },
    );
  });

  it("was foreseen by the static references when they are exact", async () => {
    await fc.assert(
      fc.asyncProperty(expression, bag, async (source, original) => {
        const evaluated = compiled(source);
        if (evaluated === undefined || !evaluated.references.exact) return;
        const recorder = new Reads(original);
        await outcomeOf(evaluated, recorder);
        const foreseen = evaluated.references.paths.map(({ path }) => path);
        for (const { path, condition } of recorder.references()) {
          const within = foreseen.some((known) => startsWith(path, known));
          // On the way to a path that was foreseen, an object may be met, or nothing, or something else in its place.
          const onTheWay = foreseen.some((known) => startsWith(known, path));
          assert.ok(within || onTheWay, `${condition} ${path.join(".")} of ${foreseen.join(" ")}`);
        }
      }),
      { numRuns: 250 },
    );
  });
});

describe("evaluation without the interpreter", () => {
  it("gives what JSONata gives for every plain path", async () => {
    await fc.assert(
      fc.asyncProperty(plainPath, bag, async (source, original) => {
        const expected = (await jsonata(source).evaluate(original)) as AttributeValue;
        assert.equal(
          await outcomeOf(compiled(source) as Expression, new Reads(original)),
          canonicalText(expected),
        );
      }),
      { numRuns: 250 },
    );
  });
});

function withKeysReversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeysReversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, withKeysReversed(member)]),
  );
}

function startsWith(path: AttributePath, prefix: AttributePath): boolean {
  return prefix.every((step, index) => path[index] === step);
}
