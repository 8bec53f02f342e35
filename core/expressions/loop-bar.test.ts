// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import { FUNCTIONS } from "../../expressions/functions/functions.ts";
import type { Expression } from "./expression.ts";
import { createJsonataCompiler } from "./jsonata-engine.ts";
import { leastMs, slowness } from "../../test/support/slowness.ts";

/**
 * The bar: no request and no document may block the event loop for more than 50 ms on a quiet machine. A test
 * machine is not quiet, so the time is the minimum of several runs, relative to the slowness of the machine.
 */
const BAR_MS = 50;

const compileForRequests = createJsonataCompiler({}, () => performance.now());

/** The minimum duration of `run` in ms if it exceeds the scaled bar; undefined if it does not. */
function overBar(run: () => void, scale: number): number | undefined {
  const took = leastMs(run, BAR_MS * scale);
  // The machine may have become slower since `scale` was measured.
  return took <= BAR_MS * scale || took <= BAR_MS * slowness() ? undefined : took;
}

/** A bag of the largest request: a header section of 64 KiB, and claims. */
const BAG: AttributeBag = {
  request: {
    path: `/${"a".repeat(8_000)}`,
    headers: Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`x-${index}`, `v${index}`.repeat(10)]),
    ),
    useragent: "ab ".repeat(21_000),
    text: "é€ü😀a".repeat(10_000),
  },
  list: Array.from({ length: 9_000 }, (_, index) => index),
  names: Array.from({ length: 5_000 }, (_, index) => `name-${index % 700}`),
  objects: Array.from({ length: 2_000 }, (_, index) => ({ a: index, b: { c: [index] } })),
  wide: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index])),
};

const SHARED = "$d := function($a, $n) { $n = 0 ? $a : $d([[$a], [$a]], $n - 1) }; $x := $d([0], 34)";

const HOSTILE: readonly string[] = [
  "($f := function($n) { $f($n + 1) }; $f(1))",
  "($m := /a/; $m('x', 1e15); $f := function($n) { $n < 0 ? 1 : $f($n + 1) }; $f(1))",
  "$count([1..9999].([1..9999]))",
  "[1..9999].($ + 1)[$ > 5000]",
  "$count(list[$ in $$.list])",
  "$count(names[$ in $$.names])",
  "list^(>$)",
  "names^($, >$)",
  "names{$: $count($)}",
  "objects{$string(a): b}",
  "$sort(names, function($a, $b) { $a > $b })",
  "[1..9000].$clone($$.wide)",
  "[1..9000].$string($$.request.headers)",
  "[1..9000].$keys($$.wide)",
  "[1..9000].$uppercase($$.request.text)",
  "[1..9000].$trim($$.request.useragent)",
  "[1..9000].$contains($$.request.useragent, $$.request.path)",
  "[1..9000].$contains($$.request.useragent, /(\\w{1,30}\\s?){1,20}$/)",
  "[1..9000].$match($$.request.useragent, /(a|b)+ /)",
  "[1..9000].$replace($$.request.useragent, 'a', 'bbbb')",
  "[1..9000].$replace($$.request.useragent, / /, 'bbbb')",
  "[1..9000].$split($$.request.useragent, ' ')",
  "[1..9000].$join($$.names, ',')",
  "[1..9000].$distinct($$.names)",
  "[1..9000].$distinct($$.objects)",
  "[1..9000].$merge($$.objects)",
  "[1..9000].($$.objects = $$.objects)",
  "[1..9000].$pad('', 9999, 'aé')",
  "[1..9000].$glob($$.request.path, '*' & $ & '{a,b}*?')",
  "[1..9000].$cidr('10.0.0.1', $$.names)",
  "[1..9000].$addressPrefix('2001:db8:0:0:1:2:3:4', 24, 64)",
  "($t := [1..999].('/a/b/{x}/' & $); [1..9000].$pathTemplate('/a/b/c/d', $t))",
  "[1..9000].$semver('1.2.3', '>=1.2.' & $)",
  "[1..9000].$jsonParse('[' & $$.request.path & ']')",
  "[1..9000].$base64urlEncode($$.request.text)",
  "[1..9000].$encodeUrlComponent($$.request.path)",
  "[1..9000].$hash($$.request.text)",
  "[1..9000].$formatNumber($, '#,##0.00')",
  "[1..9000].$fromMillis($, '[Y0001]-[M01]-[D01]')",
  "[1..9000].$sum($$.list)",
  "[1..9000].$reverse($$.list)",
  "$reduce(list, function($a, $b) { $append($a, $b) }, [])",
  "$map(names, function($n) { $filter($$.names, function($m) { $m = $n }) })",
  "$ ~> |objects|{'z': 1}|",
  "**.**",
  "$$.*.*.*",
  ...[
    "$keys($x)",
    "$string($x)",
    "$distinct([[$x], $x])",
    "$x = $d([0], 34)",
    "$x.k",
    "$x",
    "$x ~> $sum(?)",
  ].map((use) => `(${SHARED}; ${use})`),
  ...[...FUNCTIONS.keys()].map((name) => `(${SHARED}; $map([$x, $x], $${name}))`),
  `[1..9000].(${"$ + 1 + ".repeat(500)}1)`,
];

/** Sources that take long to compile. */
const LARGE: readonly string[] = [
  `${'a.b = "x" or '.repeat(400)}a`,
  `a in [${'"abc",'.repeat(4_000)}"x"]`,
  `${"$contains(a, 'b') and ".repeat(400)}true`,
  `${"a + ".repeat(1_000)}a`,
  `${"(".repeat(128)}a${")".repeat(128)}`,
  `(${"$x := a; ".repeat(500)}$x)`,
  `{${Array.from({ length: 1_000 }, (_, index) => `"k${index}": a`).join(",")}}`,
  `${'x.{"a": '.repeat(125)}1${"}".repeat(125)}`,
  `${"$map(x, function($v) { ".repeat(40)}$v${" })".repeat(40)}`,
  `${"(".repeat(7)}a${" ?? b)".repeat(7)}`,
  `"${"x".repeat(65_000)}"`,
];

describe("the event loop", () => {
  const scale = slowness();

  it("is blocked by no evaluation for longer than the bar", () => {
    const late: string[] = [];
    for (const source of HOSTILE) {
      const result = compileForRequests(source);
      if (!result.ok) continue;
      assert.equal(result.expression.engine, "compiled", source);
      const took = overBar(() => evaluate(result.expression, new Reads(BAG)), scale);
      if (took !== undefined) late.push(`${source.slice(0, 100)} took ${took.toFixed(1)} ms`);
    }
    assert.deepEqual(late, [], `a bar of ${(BAR_MS * scale).toFixed(0)} ms`);
  }).timeout(120_000);

  it("is blocked by no request for longer, for any number of expressions", () => {
    const expressions = HOSTILE.flatMap((source) => {
      const result = compileForRequests(source);
      return result.ok ? [result.expression] : [];
    });
    const took = overBar(() => {
      const reads = new Reads(BAG);
      for (const expression of expressions.slice(0, 30)) evaluate(expression, reads);
    }, 2 * scale);
    assert.equal(took, undefined);
  }).timeout(120_000);

  it("is blocked by no compilation for longer", () => {
    const late: string[] = [];
    for (const source of LARGE) {
      assert.ok(compileForRequests(source).ok, `${source.slice(0, 60)} is refused, which takes no time`);
      const took = overBar(() => void compileForRequests(source), scale);
      if (took !== undefined) late.push(`${source.slice(0, 60)} took ${took.toFixed(1)} ms`);
    }
    assert.deepEqual(late, [], `a bar of ${(BAR_MS * scale).toFixed(0)} ms`);
  }).timeout(120_000);
});

function evaluate(expression: Expression, reads: Reads): void {
  try {
    void expression.evaluate(reads.bag, { nowMs: 0, reads });
  } catch {
    // The evaluation ran out of its budget, or failed.
  }
}
