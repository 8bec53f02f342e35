// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { builtinOf } from "../runtime/calls/jsonata-functions.ts";
import { COMPILED_FUNCTIONS, nativeOf } from "./compiled-functions.ts";
import { FUNCTION_ERRORS } from "./error-codes.ts";
import { FUNCTION_TYPES, readsContext } from "./function-facts.ts";
import { functionType } from "./function-type.ts";
import { FUNCTIONS } from "./functions.ts";

/** Constants that each function which can be prepared can be prepared for. */
const CONSTANTS: Readonly<Record<string, readonly unknown[]>> = {
  cidr: [["10.0.0.0/8", "::1"]],
  glob: ["/*"],
  pathMatch: ["/{id}"],
  pathParams: ["/{id}"],
  semver: ["^1.0.0"],
  inZone: ["Asia/Tokyo"],
  timeBetween: ["Asia/Tokyo", "09:00", "17:00"],
};

/** Faults that expressions have only when they run, as what is malformed comes from the bag; and their codes. */
const FAILING: readonly (readonly [source: string, code: keyof typeof FUNCTION_ERRORS, bag: AttributeBag])[] =
  [
    ['$cidr("10.0.0.1", x)', "D4001", { x: "10.0.0.0/33" }],
    ['$glob("a", x)', "D4002", { x: "[a" }],
    ['$pathMatch("/a", x)', "D4003", { x: "/{a" }],
    ["$inZone(0, x)", "D4004", { x: "Mars" }],
    ['$timeBetween(0, "UTC", x, "17:00")', "D4005", { x: "9" }],
    ['$semver("1.0.0", x)', "D4006", { x: "latest" }],
    ['$hash("a", x)', "D4007", { x: 0 }],
    ["$jsonParse(x)", "D4008", { x: "[".repeat(100) }],
  ];

async function valueOf(source: string, bag: AttributeBag = {}): Promise<unknown> {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, result.ok ? "" : `${source}: ${result.fault.message}`);
  return result.expression.evaluate(bag, { nowMs: 0 });
}

/** The functions that JSONata does not have. */
const ADDED = [...FUNCTIONS.values()].flatMap(({ docs, implementation, ...others }) =>
  docs === undefined || implementation === undefined ? [] : [{ ...others, ...docs, implementation }],
);

describe("the records of functions", () => {
  it("are JSONata's functions, but for $eval, and those that docs/functions.md shows", () => {
    const text = readFileSync(createRequire(import.meta.url).resolve("jsonata"), "utf8");
    const bound = [...text.matchAll(/(?:staticFrame|environment)\.bind\('(\w+)', defineFunction/g)].map(
      ([, name = ""]) => name,
    );
    const known = [...bound.filter((name) => name !== "eval"), ...ADDED.map(({ name }) => name)];
    assert.deepEqual([...FUNCTIONS.keys()].toSorted(), known.toSorted());
    for (const [name, definition] of FUNCTIONS)
      assert.equal(typeof nativeOf(definition).implementation, "function", name);
  });

  it("have one document or one original each", () => {
    for (const { name, docs } of FUNCTIONS.values())
      assert.equal(docs === undefined, builtinOf(name) !== undefined, name);
  });

  it("take the types that JSONata's own signatures say", () => {
    for (const [name, { parameters }] of FUNCTION_TYPES) {
      const definition = COMPILED_FUNCTIONS.get(name)?.signature?.definition ?? "";
      // What a function's own parameters are, the records leave out.
      const own = functionType(definition.replace(/f<[^>]*>/g, "f")).parameters;
      assert.deepEqual(parameters, own, `${name} ${definition}`);
    }
  });

  it("take the context where JSONata's signatures say so", () => {
    for (const [name, compiled] of COMPILED_FUNCTIONS) {
      const definition = compiled.signature?.definition ?? "";
      assert.equal(definition.includes("-"), readsContext(name, 0), `${name} ${definition}`);
    }
  });
});

describe("the functions that JSONata does not have", () => {
  for (const { name, examples, parameters, implementation, prepare, signature } of ADDED) {
    describe(`$${name}`, () => {
      it("gives what its examples say, in an expression", async () => {
        assert.ok(examples.length > 0);
        for (const { expression, result } of examples) {
          assert.ok(expression.includes(`$${name}(`), expression);
          assert.deepEqual(await valueOf(expression), result, expression);
        }
      });

      it("has the parameters that it is said to have", () => {
        assert.equal(implementation.length, parameters.length);
        const types = signature.slice(1, signature.indexOf(":")).replace(/\([a-z]+\)/g, "c");
        assert.equal(types.replace(/[-?]/g, "").length, parameters.length);
        assert.equal(types.endsWith("?"), parameters.at(-1)?.endsWith("?"));
      });

      it("has no value for an absent argument", async () => {
        const required = parameters.filter((parameter) => !parameter.endsWith("?"));
        assert.equal(await valueOf(`$${name}(${required.map(() => "absent").join(", ")})`), undefined);
      });

      it("is prepared for constants of its types, and for nothing else", async () => {
        const constants = CONSTANTS[name];
        assert.equal(prepare !== undefined, constants !== undefined);
        if (prepare === undefined || constants === undefined) return;
        const prepared = prepare(constants) as (text?: string) => unknown;
        const called = implementation as (text: string, ...constants: unknown[]) => unknown;
        const given = ["/a", "/b/c", "1.2.3", "10.0.0.1", "", "2026-01-01T02:00:00Z", "2026-01-01T20:00:00Z"];
        for (const text of given) assert.deepEqual(prepared(text), called(text, ...constants), text);
        assert.ok(given.some((text) => prepared(text) !== prepared("")));
        assert.equal(prepared(undefined), undefined);
        for (const others of [[], [7], [undefined], constants.map(() => 7), [...constants, "x"]])
          assert.equal(prepare(others), undefined);
      });
    });
  }

  it("take the context for their first argument", async () => {
    assert.equal(await valueOf('request.path.$glob("/a/*")', { request: { path: "/a/b" } }), true);
  });

  it("fail with codes of their own, all of which are in the table", async () => {
    for (const [source, code, bag] of FAILING)
      await assert.rejects(valueOf(source, bag), (error: unknown) => {
        assert.ok(error instanceof ExpressionError, source);
        assert.equal(error.code, code, error.message);
        return true;
      });
    assert.deepEqual(FAILING.map(([, code]) => code).toSorted(), Object.keys(FUNCTION_ERRORS).toSorted());
  });

  it("are refused with malformed constants before they run", () => {
    for (const call of [
      '$cidr(source.ip, "10.0.0.0/33")',
      '$cidr(source.ip, ["10.0.0.0/8", "10.0.0.0/33"])',
      'source.ip.$cidr("10.0.0.0/33")',
      'source.ip ~> $cidr("10.0.0.0/33")',
      '$cidr(?, "10.0.0.0/33")',
      '$pathMatch(request.path, "/{a")',
      '$timeBetween(request.time, "UTC", "9", "17")',
    ]) {
      const result = compileWithJsonata(`true and ${call}`);
      assert.ok(!result.ok, call);
      assert.match(result.fault.message, /\(D400[135]\)$/);
      assert.equal(result.fault.offset, `true and ${call}`.indexOf("$"), call);
    }
  });

  it("are not mistaken for functions of an expression's own, nor what is computed for a constant", async () => {
    assert.equal(await valueOf('($glob := function($a, $b) { $b }; $glob("a", "[a"))'), "[a");
    assert.equal(await valueOf('$glob("a", ["[a", "a"][1])'), true);
    assert.equal(await valueOf('$cidr("10.0.0.1", [blocks, "10.0.0.0/8"])', { blocks: "::/0" }), true);
  });

  it("read of the bag what they are given", () => {
    const result = compileWithJsonata(
      '$pathParams(request.path, "/{id}").id = "7" and source.ip.$cidr("::/0") and $glob(a, b)',
    );
    assert.ok(result.ok);
    const { references, cacheable } = result.expression;
    assert.deepEqual(references.paths.map(({ path }) => path.join(".")).toSorted(), [
      "a",
      "b",
      "request.path",
      "source.ip",
    ]);
    assert.ok(references.exact && cacheable);
  });
});
