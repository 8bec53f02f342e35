// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";

const BAG = { t: "a-b--c", e: "", u: "a😀b", n: [3, 1, 2], w: ["x", "y"], o: { p: 1, q: 2 }, d: [1, 1, "1"] };

/** JSONata's value for each source, or the code of its error. */
const VALUES: readonly (readonly [source: string, value: unknown])[] = [
  ['$split(t, "-")[1]', "b"],
  ['$split(t, "-")[9]', undefined],
  ['$split(t, "")[2]', "b"],
  ['$split(t, "-", 2)', ["a", "b"]],
  ["$split(t, /-+/)", ["a", "b", "c"]],
  ["$split(t, /x/)", ["a-b--c"]],
  ["$split(t, /-/, 0)", []],
  ['$split(t, "-", -1)', { code: "D3020" }],
  ["$substring(t, 0, 3)", "a-b"],
  ["$substring(u, 0, 2)", "a😀"],
  ["$substring(u, 1)", "😀b"],
  ["$substring(t, -1)", "c"],
  ["$substring(t, 0, -1)", ""],
  ["$substring(t, -3, 2)", "--"],
  ["$length(u)", 3],
  ['$substringBefore(t, "-")', "a"],
  ['$substringAfter(t, "x")', "a-b--c"],
  ['$replace(t, "-", "+")', "a+b++c"],
  ['$replace(t, "-", "+", 1)', "a+b--c"],
  ['$replace(t, "", "+")', { code: "D3010" }],
  ['$replace(t, "-", "+", -1)', { code: "D3011" }],
  ['$replace(t, /-/, "+", 0)', "a-b--c"],
  ['$replace(t, /(b)(-)/, "$2$1$0$$$9")', "a--bb-$-c"],
  ["$replace(t, /[a-c]/, $uppercase)", { code: "T0410" }],
  ["$replace(t, /[a-c]/, function($m) { $uppercase($m.match) })", "A-B--C"],
  ["$replace(t, /x*/, function($m) { 1 })", { code: "D3012" }],
  ['$replace(t, /x*/, "y")', { code: "D1004" }],
  ["$match(t, /[a-c]/, 2).match", ["a", "b"]],
  ["$match(t, /x/)", undefined],
  ["$match(t, /-/, -1)", { code: "D3040" }],
  ['$match(t, /x(y)?/) ?? "none"', "none"],
  ['$match(t, /b(x)?/).groups[0] ?? "none"', "none"],
  ["$contains(t, /^a/)", true],
  ['$contains(e, "")', true],
  ['$join(w, ", ")', "x, y"],
  ["$join(w)", "xy"],
  ['$number("0x1F")', 31],
  ['$number("abc")', { code: "D3030" }],
  ["$sum(n)", 6],
  ["$sum(w)", { code: "T0412" }],
  ["$distinct(d)", [1, "1"]],
  ["$distinct(t)", "a-b--c"],
  ["$trim('  a   b ')", "a b"],
  ["$sort(n)", [1, 2, 3]],
  ["$sort(n, function($a, $b) { $a < $b })", [3, 2, 1]],
  ["$sort(d)", { code: "D3070" }],
  ["$sort([n[0]])", [3]],
  ["$map(n, function($v, $i, $a) { $v * $i + $count($a) })", [3, 4, 7]],
  ["$map(t, $uppercase)", "A-B--C"],
  ["$filter(n, function($v, $i) { $i > 0 })", [1, 2]],
  ["$filter(t, $boolean)", "a-b--c"],
  ["$single(n, function($v) { $v = 1 })", 1],
  ["$single(n, function($v) { $v > 1 })", { code: "D3138" }],
  ["$single(n, function($v) { $v > 9 })", { code: "D3139" }],
  ["$reduce(n, function($a, $b) { $a + $b })", 6],
  ["$reduce(n, function($a, $b) { $a + $b }, 10)", 16],
  ["$reduce(n, function($a) { $a })", { code: "D3050" }],
  ["$each(o, function($v, $k) { $k & $v })", ["p1", "q2"]],
  ["$sift(o, function($v) { $v > 1 })", { q: 2 }],
  ["$sift(o, function($v) { $v > 9 })", undefined],
  ['$toMillis("2026-02-29T00:00:00Z")', 1_772_323_200_000],
  ['$toMillis("2026-01-31T12:00:00Z")', 1_769_860_800_000],
  ["$fromMillis(0)", "1970-01-01T00:00:00.000Z"],
  ["$fromMillis(0.5)", "1970-01-01T00:00:00.000Z"],
  ['$formatNumber(1234.5, "#,##0.00")', "1,234.50"],
  ['$formatNumber(1e308 * 10, "0.0e0")', { code: "D1001" }],
  ['"" ~> $formatNumber(?, "0.0e0")', { code: "D1001" }],
  ['$formatInteger(1e308 * 10, "A")', { code: "D1001" }],
  ["o ~> |$|{'p': 3}, 'q'|", { p: 3 }],
  ["o ~> |$|{}, 5|", { code: "T2012" }],
  ["o ~> |$|5|", { code: "T2011" }],
  ["n^(>$)[0]", 3],
  ["($f := function($x) { $x > 5 ? $x : $f($x + 1) }; $f(0))", 6],
  ["($f := function($x) { $error('no') }; $f(0))", { code: "D3137" }],
  ["($inc := function($x) { $x + 1 }; $two := $inc ~> $inc; $two(1))", 3],
  ["($of := function($g) { $g(2) }; $of(function($x) { $x * 2 }))", 4],
  ["o.p[]", [1]],
  ["o.z[]", undefined],
  ["w[]", ["x", "y"]],
  ["$number = $number", true],
];

describe("the functions of compiled expressions", () => {
  for (const [source, expected] of VALUES) {
    it(source, () => {
      const result = compileWithJsonata(source);
      assert.ok(result.ok, result.ok ? "" : result.fault.message);
      assert.equal(result.expression.engine, "compiled");
      let outcome: unknown;
      try {
        outcome = result.expression.evaluate(BAG, { nowMs: 0 });
      } catch (error: unknown) {
        outcome = { code: (error as { code: unknown }).code };
      }
      assert.deepEqual(JSON.stringify(outcome), JSON.stringify(expected));
    });
  }
});
