// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import jsonata from "jsonata";
import { compile, ExpressionError } from "./index.ts";

/** The error that evaluating throws. */
function failureOf(
  source: string,
  input?: unknown,
  options: Parameters<typeof compile>[1] = {},
): ExpressionError {
  try {
    compile(source, options).evaluate(input);
  } catch (error: unknown) {
    assert.ok(error instanceof ExpressionError, String(error));
    return error;
  }
  return assert.fail(`${source} did not fail`);
}

describe("purser/expressions", () => {
  it("compiles expressions and gives values synchronously", () => {
    const expression = compile('request.method = "GET" and "admin" in roles');
    assert.equal(expression.engine, "compiled");
    assert.equal(expression.evaluate({ request: { method: "GET" }, roles: ["admin"] }), true);
    assert.equal(expression.evaluate({ request: { method: "GET" }, roles: [] }), false);
    assert.equal(expression.evaluate(undefined), false);
  });

  it("interprets $eval, and gives the reason", async () => {
    const expression = compile('$eval("1 + a")');
    assert.equal(expression.engine, "interpreted");
    assert.equal(expression.reason, "$eval");
    assert.equal(await expression.evaluate({ a: 2 }), 3);
  });

  it("takes bindings for all evaluations, and for a single evaluation", async () => {
    const expression = compile("$twice($n)", { bindings: { twice: (n: number) => n * 2, n: 1 } });
    assert.equal(expression.engine, "compiled");
    assert.equal(expression.evaluate({}), 2);
    assert.equal(expression.evaluate({}, { n: 5 }), 10);
    assert.equal(compile("$constructor").evaluate({}), undefined);
    const overridden = compile("$sum([1, 2])").evaluate({}, { sum: () => "other" });
    assert.equal(await overridden, "other");
  });

  it("interprets an expression with an async binding", async () => {
    const expression = compile("$later() + 1", { bindings: { later: async () => Promise.resolve(1) } });
    assert.equal(expression.engine, "interpreted");
    assert.equal(await expression.evaluate({}), 2);
    assert.equal(await compile("$later() + 1").evaluate({}, { later: async () => Promise.resolve(2) }), 3);
  });

  it("suggests a replacement for a pattern of another dialect", () => {
    assert.throws(() => compile("$contains(a, /(?i)x/)"), {
      code: "D4101",
      position: 14,
      message: /write flag i behind the pattern: \/…\/i/,
    });
    assert.throws(() => compile("/[b-a]/"), { code: "D4101", message: /Range out of order/ });
  });

  it("fails at a literal with the literal as the token, as JSONata does", async () => {
    for (const source of ["5(3)", "5[0](1)", "-5(1)", "true(1)", "1.5(2)", "0()", "5(?)", "5 ~> 6(1)"]) {
      const { code, position, token } = failureOf(source);
      await assert.rejects(jsonata(source).evaluate({}), { code, position, token }, source);
      assert.ok(typeof token === "number" || token === true, source);
    }
    for (const source of ["1 2", "a 5", "$sum(1 2)", "function(5){1}", "5 := 3"])
      assert.throws(() => compile(source), { token: Number(/[25]/.exec(source)?.[0]) }, source);
  });

  it("fails with JSONata's code, position and token", () => {
    const unlike = failureOf('a > "5"', { a: 1 });
    assert.deepEqual([unlike.code, unlike.position, unlike.token], ["T2009", 3, ">"]);
    const syntax = failureOf("a +");
    assert.equal(syntax.code, "S0207");
    // The operator `and` claims the errors of its right side.
    const claimed = failureOf('true and (1 + "a")');
    assert.deepEqual([claimed.code, claimed.position, claimed.token], ["T2002", 8, "and"]);
  });

  it("reports its references, and whether its value is cacheable", () => {
    const { references, cacheable } = compile("request.path & a.b");
    assert.deepEqual(references, {
      paths: [
        { path: ["request", "path"], offset: 0 },
        { path: ["a", "b"], offset: 15 },
      ],
      exact: true,
    });
    assert.equal(cacheable, true);
    for (const source of ["$now()", "$millis() > 1", "$random()", "$shuffle([1, 2])"])
      assert.equal(compile(source).cacheable, false, source);
  });

  it("checks an expression against a manifest", () => {
    const manifest = {
      attributes: {
        "request.size": { type: "INT64" },
        "user.age": { type: "INT64" },
        "response.code": { type: "INT64", phase: "response" },
      },
    } as const;
    const codesOf = (source: string, options: Parameters<typeof compile>[1] = {}) =>
      compile(source, { manifest, ...options }).diagnostics.map(({ code }) => code);
    const [finding, ...more] = compile("request.sise = 1", { manifest }).diagnostics;
    assert.deepEqual(more, []);
    assert.equal(finding?.code, "PURSER_EXPR_UNKNOWN_ATTRIBUTE");
    assert.equal(finding?.suggestion, "request.size");
    assert.deepEqual(codesOf("request.size = 1"), []);
    assert.deepEqual(codesOf("response.code = 200"), []);
    assert.deepEqual(codesOf("response.code = 200", { phase: "request" }), ["PURSER_EXPR_PHASE"]);
    for (const source of [
      "user.age != 18",
      "$not(user.age = 18)",
      "user.age < 18",
      'user.age < 18 ? "minor" : "adult"',
    ])
      assert.deepEqual(codesOf(source), ["PURSER_EXPR_ABSENT"], source);
    assert.deepEqual(codesOf("user.age < 18", { purpose: "allow" }), []);
    assert.throws(() => compile("1", { manifest: { attributes: { "a..b": { type: "ANY" } } } }), TypeError);
  });

  it("sees one time in an evaluation", () => {
    assert.equal(compile("$millis() = $toMillis($now())").evaluate({}), true);
  });

  it("stops an evaluation that would not end", () => {
    const endless = "($f := function($n){ $f($n + 1) }; $f(1))";
    assert.equal(failureOf(endless, {}, { limits: { steps: 10_000 } }).code, "D1012");
    assert.equal(failureOf(endless, {}, { limits: { timeMs: 20 } }).code, "D1012");
    const third = failureOf('$pad($pad($pad("a", 1), 1), 1)', {}, { limits: { steps: 2 } });
    assert.deepEqual([third.code, third.position], ["D1012", 5]);
    const deep = "($f := function($n){ 1 + $f($n + 1) }; $f(1))";
    assert.equal(failureOf(deep, {}, { limits: { depth: 100 } }).code, "D1011");
    assert.equal(failureOf(deep, {}).code, "D1011");
    assert.equal(failureOf("[1..1000]", {}, { limits: { sequence: 100 } }).code, "D2015");
    assert.equal(failureOf('"" ~> $formatNumber(?, "0.0e0")').code, "D1001");
    assert.equal(failureOf('$formatNumber(1e308 * 10, "0.0e0")').code, "D1001");
    assert.equal(failureOf('$formatInteger(1e308 * 10, "A")').code, "D1001");
    assert.equal(failureOf('$formatNumber(1234, "#,##0", {"grouping-separator": ""})').code, "D3080");
    const doubling = "($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('ab', 60))";
    assert.equal(failureOf(doubling, {}).code, "D2015");
    assert.equal(failureOf(`${"(".repeat(20_000)}1${")".repeat(20_000)}`).code, "D1011");
  });

  it("refuses a pattern that is not linear", () => {
    assert.equal(failureOf("$contains(a, /(?=(a+)+b)a/)").code, "D4101");
    const text = `${"a".repeat(50_000)}!`;
    const started = performance.now();
    assert.equal(compile("$contains(a, /^(a+)+$/)").evaluate({ a: text }), false);
    assert.ok(performance.now() - started < 1_000);
  });

  it("reaches no prototype", () => {
    for (const source of [
      "a.constructor",
      "a.__proto__",
      "a.toString",
      '$lookup(a, "constructor")',
      '$lookup(a, "__proto__")',
      "[1].length",
      '"text".length',
    ])
      assert.equal(compile(source).evaluate({ a: {} }), undefined, source);
    const merged = compile('$merge([{"__proto__": {"x": 1}}, a])').evaluate({ a: {} });
    assert.equal((Object.prototype as { x?: unknown }).x, undefined);
    assert.equal((merged as { x?: unknown }).x, undefined);
    compile('$ ~> |a|{"__proto__": {"x": 1}, "constructor": 1}|').evaluate({ a: {} });
    assert.equal((Object.prototype as { x?: unknown }).x, undefined);
  });

  it("writes nothing to its input", () => {
    const freeze = (value: unknown): unknown => {
      if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const input = freeze({ list: [3, 1, 2], one: [1], nested: [[1], []], text: "b a" });
    for (const source of [
      "list^($)",
      "one[]",
      "nested.$",
      "$sort(list)",
      "$append(list, 1)",
      "list{$string($): $}",
      "$reverse(one)",
    ])
      assert.doesNotThrow(() => compile(source).evaluate(input), source);
  });

  it("writes nothing to its bindings and input, compiled or interpreted", async () => {
    for (const source of [
      '$ ~> |$$.x|{"z": 1}, "a"|',
      '$ ~> |$b|{"z": 1}, "a"|',
      '$$ ~> |[$$.x, $$.list]|{"z": 1}|',
      '$.list{"k": $}',
      'empty{"k": 1}',
      "x ~> |$|{'a': 2}|",
      '$map(list, function($v) { $v ~> |$$.x|{"z": 1}| })',
      "list^($)",
      "(x)(1)",
      "$sort(list)",
    ])
      for (const written of [source, `($eval("1"); ${source})`, `([$made := 1]; ${source})`]) {
        const input = { x: { a: 1 }, y: 2, empty: [], list: [2, 1] };
        const bindings = { b: input.x };
        const before = JSON.stringify([input, bindings]);
        await Promise.resolve()
          .then(() => compile(written).evaluate(input, bindings))
          .catch((error: unknown) => assert.ok(error instanceof ExpressionError));
        assert.equal(JSON.stringify([input, bindings]), before, written);
      }
    const made: unknown = compile('($o := {"a": 1}; $ ~> |$o|{"z": 1}, "a"|; $o)').evaluate({});
    assert.deepEqual({ ...(made as object) }, { z: 1 });
  });
});
