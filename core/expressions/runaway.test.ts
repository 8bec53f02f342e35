// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import jsonata from "jsonata";
import type { AttributeBag } from "../attributes/bag.ts";
import { type Expression } from "./expression.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import { compileWithJsonata, createJsonataCompiler } from "./jsonata-engine.ts";

const CONTEXT = { nowMs: 0 };

function compiled(source: string, compile = compileWithJsonata): Expression {
  const result = compile(source);
  assert.ok(result.ok, result.ok ? "" : result.fault.message);
  return result.expression;
}

async function valueOf(source: string, bag: AttributeBag): Promise<unknown> {
  return compiled(source).evaluate(bag, CONTEXT);
}

/** Codes of a value that is too large, or of the steps that it would take to make it. */
const TOO_MUCH = /^D(?:2015|1012)$/;

describe("a runaway expression", () => {
  /** A compiler with a long time limit, so that on a busy host a test of size does not end by time. */
  const patient = createJsonataCompiler({ timeMs: 1_000 });

  /** The error code of a runaway source, checked to have used bounded time and memory. */
  async function stopped(source: string, bag: AttributeBag = {}, compile = patient): Promise<string> {
    const expression = compiled(source, compile);
    const before = process.memoryUsage().heapUsed;
    const started = performance.now();
    const code = await Promise.resolve()
      .then(() => expression.evaluate(bag, CONTEXT))
      .then(
        () => "",
        (error: unknown) => (error instanceof ExpressionError ? error.code : String(error)),
      );
    assert.ok(performance.now() - started < 1_500, `${source} took ${performance.now() - started} ms`);
    assert.ok(process.memoryUsage().heapUsed - before < 300e6, source);
    return code;
  }

  it("ends by time or by depth when it calls itself", async () => {
    assert.equal(await stopped("($f := function() { $f() }; $f())", {}, compileWithJsonata), "D1012");
    assert.equal(await stopped("($f := function($n) { 1 + $f($n) }; $f(1))"), "D1011");
  });

  it("ends when texts grow", async () => {
    for (const source of [
      "$pad('x', 1e9)",
      "[1..10000].$pad('x', -1e308)",
      "$reduce([1..60], function($a, $b) { $a & $a }, 'aaaaaaaa')",
      `("aaaaaaaa")${".($ & $)".repeat(40)}`,
      "($t := $pad('x', 9999); $join($map([1..200], function($i) { $t }), ','))",
      "$replace($pad('', 9999), ' ', $pad('', 9999))",
      "$replace($pad('', 9999), / /, $pad('', 9999))",
      "$split($replace($pad('', 9999), ' ', 'aa'), '')",
      `${"$string([".repeat(40)}'"'${"])".repeat(40)}`,
    ])
      assert.match(await stopped(source), TOO_MUCH, source);
  });

  it("ends when values share parts that would be serialised many times", async () => {
    for (const source of [
      "$string($reduce([1..60], function($a, $b) { [[$a], [$a]] }, 1))",
      "$reduce([1..60], function($a, $b) { {'l': $a, 'r': $a} }, 1)",
      "$boolean($reduce([1..60], function($a, $b) { [[$a], [$a]] }, 1))",
    ])
      assert.match(await stopped(source), TOO_MUCH, source);
  });

  it("ends when sequences grow, and when a range cannot count on", async () => {
    for (const source of [
      "[1..1e7]",
      "[1..10001]",
      "[9007199254740992..9007199254740992]",
      "[-9007199254740992..-9007199254740992]",
      "$reduce([1..60], function($a, $b) { $append($a, $a) }, [1, 2])",
    ])
      assert.match(await stopped(source), TOO_MUCH, source);
    assert.equal(await stopped("[1..1.5]"), "T2004");
    assert.equal(await stopped("['a'..2]"), "T2003");
  });

  it("ends in functions that format", async () => {
    assert.equal(await stopped("$formatNumber(1, '#,#', {'grouping-separator': ''})"), "D3080");
    assert.equal(await stopped("$formatNumber(1e308 * 10, '0.0e0')"), "D1001");
    assert.equal(await stopped("$formatInteger(1e308 * 10, 'A')"), "D1001");
    assert.match(await stopped("$fromMillis(0, '[Y,999999999]')"), TOO_MUCH);
    assert.match(await stopped("$now('[Y,999999999]')"), TOO_MUCH);
    assert.match(await stopped("$formatInteger(1, $pad('', 9999, '0'))"), TOO_MUCH);
    assert.equal(await stopped("'2020' ~> $toMillis('[Y][M][D]')"), "D3136");
  });

  it("ends in calls that pass no node of the expression", async () => {
    const bag = { list: Array.from({ length: 10_000 }, (_, index) => index) };
    assert.equal(
      await stopped("($l := list; $map($l, $append($map($l, $string), ?)))", bag, compileWithJsonata),
      "D1012",
    );
  });

  it("ends in a regular expression that restarts at every character", async () => {
    assert.match(await stopped("$count($match(a, /(x.*y)|x/))", { a: "x".repeat(9_000) }), TOO_MUCH);
    assert.match(await stopped("$count($split(a, /x/))", { a: "x".repeat(200_000) }), TOO_MUCH);
  });

  it("is not a pattern that would backtrack exponentially in other engines", async () => {
    const started = performance.now();
    assert.equal(await valueOf("$contains(a, /^(a+)+$/)", { a: `${"a".repeat(2_000)}!` }), false);
    assert.ok(performance.now() - started < 500);
  });

  it("is not an evaluation whose process was paused for a while", async () => {
    const compile = createJsonataCompiler({ timeMs: 20 });
    const looping = compiled("$sum($map([1..20], function($x) { $x }))", compile);
    const pending = looping.evaluate({}, CONTEXT);
    const resumeAt = performance.now() + 40;
    while (performance.now() < resumeAt);
    assert.equal(await pending, 210);
    const plain = compiled('a = 1 and b in ["x", "y"]', compile).evaluate({ a: 1, b: "y" }, CONTEXT);
    while (performance.now() < resumeAt + 40);
    assert.equal(await plain, true);
  });
});

describe("a bounded function", () => {
  it("gives JSONata's results within its bounds", async () => {
    const bag = { n: [3, 1, 2], s: ["b", "a", "b"], o: [{ a: 1 }, { a: 1 }, 1, "1", null], t: "a-b-c" };
    for (const source of [
      "$sort(n)",
      "$sort(s)",
      "$sort(n, function($a, $b) { $a < $b })",
      "$sort([])",
      "$distinct(s)",
      "$distinct(o)",
      "$pad(t, 7)",
      "$pad(t, -7, '#')",
      "$join(s, ',')",
      "$join(s)",
      "$split(t, '-')",
      "$split(t, /-/, 2)",
      "$replace(t, '-', '+')",
      "$replace(t, /(a)-(b)/, '$2$1')",
      "$replace(t, /[a-c]/, function($m) { $m.match & $m.match })",
      "$formatNumber(1234.5, '#,##0.00')",
      "$formatNumber(0.5, '0E0', {'exponent-separator': 'E'})",
      "$formatInteger(2024, 'w')",
      "$parseInteger('12', '0')",
      "$fromMillis(0, '[Y]')",
      "$toMillis('2020-01-01')",
      "[1..4]",
      "[1..1]",
      "[2..1]",
      "[missing..1]",
      "[0, 1..3, 9]",
      "[1..3].($ * 2)",
      "[-1..1]",
      "$map(n, function($v, $i) { $v * $i })",
      "$map(n, $string)",
      "$filter(n, function($v) { $v > 1 })",
      "$single(n, function($v) { $v = 1 })",
      "$reduce(n, function($a, $b) { $a + $b })",
      "$reduce(n, $append)",
      "$each({'a': 1}, function($v, $k) { $k & $v })",
      "$sift({'a': 1, 'b': 2}, function($v) { $v > 1 })",
      "$map(s, $pad(?, 3))",
      "s ~> $map($uppercase)",
      "$map([1..3], function($v, $i, $all) { $count($all) })",
      "$match(t, /[a-c]/).match",
      "$contains(t, /B/i)",
    ])
      assert.deepEqual(await valueOf(source, bag), clean(await jsonata(source).evaluate(bag)), source);
  });

  it("finds the distinct values among many as JSONata does among few", async () => {
    const items = Array.from({ length: 400 }, (_, index) => [
      index % 7,
      `${index % 7}`,
      { a: index % 5 },
      [index % 3],
    ]).flat();
    assert.deepEqual(
      await valueOf("$distinct(items)", { items }),
      clean(await jsonata("$distinct(items)").evaluate({ items })),
    );
  });
});

/** A plain copy, without JSONata's flags, prototypes and undefined values. */
function clean(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
