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

/** Sample constants for each function with `prepare`. */
const CONSTANTS: Readonly<Record<string, readonly unknown[]>> = {
  cidr: [["10.0.0.0/8", "::1"]],
  addressPrefix: [24, 64],
  glob: ["/*"],
  pathMatch: ["/{id}"],
  pathParams: ["/{id}"],
  pathTemplate: [["/users/{id}", "/**"]],
  semver: ["^1.0.0"],
  inZone: ["Asia/Tokyo"],
  timeBetween: ["Asia/Tokyo", "09:00", "17:00"],
};

/** Errors at run time, from malformed values of the bag, with their codes. */
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
    ['$addressPrefix("10.0.0.1", x, 64)', "D4009", { x: 33 }],
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
  it("are JSONata's functions without $eval, and the functions that docs/reference/functions.md shows", () => {
    const text = readFileSync(createRequire(import.meta.url).resolve("jsonata"), "utf8");
    const bound = [...text.matchAll(/(?:staticFrame|environment)\.bind\('(\w+)', defineFunction/g)].map(
      ([, name = ""]) => name,
    );
    const known = [...bound.filter((name) => name !== "eval"), ...ADDED.map(({ name }) => name)];
    assert.deepEqual([...FUNCTIONS.keys()].toSorted(), known.toSorted());
    for (const [name, definition] of FUNCTIONS)
      assert.equal(typeof nativeOf(definition).implementation, "function", name);
  });

  it("have either a section in the documentation or an original in JSONata", () => {
    for (const { name, docs } of FUNCTIONS.values())
      assert.equal(docs === undefined, builtinOf(name) !== undefined, name);
  });

  it("have the parameter types of JSONata's signatures", () => {
    for (const [name, { parameters }] of FUNCTION_TYPES) {
      const definition = COMPILED_FUNCTIONS.get(name)?.signature?.definition ?? "";
      // The records leave out the parameters of function parameters.
      const own = functionType(definition.replace(/f<[^>]*>/g, "f")).parameters;
      assert.deepEqual(parameters, own, `${name} ${definition}`);
    }
  });

  it("take the context as JSONata's signatures do", () => {
    for (const [name, compiled] of COMPILED_FUNCTIONS) {
      const definition = compiled.signature?.definition ?? "";
      assert.equal(definition.includes("-"), readsContext(name, 0), `${name} ${definition}`);
    }
  });
});

describe("the functions that JSONata does not have", () => {
  for (const { name, examples, parameters, implementation, prepare, signature } of ADDED) {
    describe(`$${name}`, () => {
      it("gives the results of its examples, in an expression", async () => {
        assert.ok(examples.length > 0);
        for (const { expression, result } of examples) {
          assert.ok(expression.includes(`$${name}(`), expression);
          assert.deepEqual(await valueOf(expression), result, expression);
        }
      });

      it("has the parameters of its documentation", () => {
        assert.equal(implementation.length, parameters.length);
        const types = signature.slice(1, signature.indexOf(":")).replace(/\([a-z]+\)/g, "c");
        assert.equal(types.replace(/[-?]/g, "").length, parameters.length);
        assert.equal(types.endsWith("?"), parameters.at(-1)?.endsWith("?"));
      });

      it("gives no value for an absent argument", async () => {
        const required = parameters.filter((parameter) => !parameter.endsWith("?"));
        assert.equal(await valueOf(`$${name}(${required.map(() => "absent").join(", ")})`), undefined);
      });

      it("is prepared for constants of its types, and for no others", async () => {
        const constants = CONSTANTS[name];
        assert.equal(prepare !== undefined, constants !== undefined);
        if (prepare === undefined || constants === undefined) return;
        const prepared = prepare(constants) as (text?: string) => unknown;
        const called = implementation as (text: string, ...constants: unknown[]) => unknown;
        const given = ["/a", "/b/c", "1.2.3", "10.0.0.1", "", "2026-01-01T02:00:00Z", "2026-01-01T20:00:00Z"];
        for (const text of given) assert.deepEqual(prepared(text), called(text, ...constants), text);
        assert.ok(given.some((text) => prepared(text) !== prepared("")));
        assert.equal(prepared(undefined), undefined);
        for (const others of [[], [7], [undefined], constants.map(() => true), [...constants, "x"]])
          assert.equal(prepare(others), undefined);
      });
    });
  }

  it("take the context for their first argument", async () => {
    assert.equal(await valueOf('request.path.$glob("/a/*")', { request: { path: "/a/b" } }), true);
  });

  it("fail with their own codes, all of them in the table", async () => {
    for (const [source, code, bag] of FAILING)
      await assert.rejects(valueOf(source, bag), (error: unknown) => {
        assert.ok(error instanceof ExpressionError, source);
        assert.equal(error.code, code, error.message);
        return true;
      });
    assert.deepEqual(FAILING.map(([, code]) => code).toSorted(), Object.keys(FUNCTION_ERRORS).toSorted());
  });

  it("are refused with malformed constants at compile time", () => {
    for (const call of [
      '$cidr(source.ip, "10.0.0.0/33")',
      '$cidr(source.ip, ["10.0.0.0/8", "10.0.0.0/33"])',
      'source.ip.$cidr("10.0.0.0/33")',
      'source.ip ~> $cidr("10.0.0.0/33")',
      '$cidr(?, "10.0.0.0/33")',
      '$pathMatch(request.path, "/{a")',
      '$timeBetween(request.time, "UTC", "9", "17")',
      "$addressPrefix(source.ip, 33, 64)",
      "$addressPrefix(source.ip, 24, 64.5)",
      '$pathTemplate(request.path, ["/a", "/{a"])',
    ]) {
      const result = compileWithJsonata(`true and ${call}`);
      assert.ok(!result.ok, call);
      assert.match(result.fault.message, /\(D400[1359]\)$/);
      assert.equal(result.fault.offset, `true and ${call}`.indexOf("$"), call);
    }
  });

  it("are not confused with functions that an expression binds, nor computed arguments with constants", async () => {
    assert.equal(await valueOf('($glob := function($a, $b) { $b }; $glob("a", "[a"))'), "[a");
    assert.equal(await valueOf('$glob("a", ["[a", "a"][1])'), true);
    assert.equal(await valueOf('$cidr("10.0.0.1", [blocks, "10.0.0.0/8"])', { blocks: "::/0" }), true);
  });

  it("record the reads of their arguments", () => {
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
