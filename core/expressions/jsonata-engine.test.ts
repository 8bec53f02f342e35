// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../attributes/bag.ts";
import { createRecorder } from "../../expressions/runtime/reads/recorder.ts";
import { ExpressionError, type ExpressionFault } from "../../expressions/errors/expression-error.ts";
import { type Expression } from "./expression.ts";
import { compileWithJsonata } from "./jsonata-engine.ts";

/** Headers with the name `then`, which promises must not take for a thenable. */
const THENABLE = JSON.parse('{"then": "t"}') as Record<string, string>;

const BAG: AttributeBag = {
  request: {
    method: "GET",
    path: "/catalog/7",
    headers: { "x-user": "ann", sequence: "s", ...THENABLE },
    size: 12,
    roles: ["admin"],
    empty: [],
    none: null,
  },
};
const CONTEXT = { nowMs: 1_700_000_000_123 };

function compiled(source: string, compile = compileWithJsonata): Expression {
  const result = compile(source);
  assert.ok(result.ok, result.ok ? "" : result.fault.message);
  return result.expression;
}

async function valueOf(source: string, bag: AttributeBag = BAG): Promise<unknown> {
  return compiled(source).evaluate(bag, CONTEXT);
}

async function failureOf(
  source: string,
  bag: AttributeBag = BAG,
  compile = compileWithJsonata,
): Promise<ExpressionError> {
  const expression = compiled(source, compile);
  try {
    await expression.evaluate(bag, CONTEXT);
  } catch (error: unknown) {
    assert.ok(error instanceof ExpressionError);
    return error;
  }
  assert.fail(`${source} did not fail`);
}

function faultOf(source: string): ExpressionFault {
  const result = compileWithJsonata(source);
  assert.ok(!result.ok, `${source} compiled`);
  return result.fault;
}

describe("an expression", () => {
  it("gives its value for a bag", async () => {
    assert.equal(await valueOf('request.method = "GET"'), true);
    assert.equal(await valueOf('request.headers."x-user" & "@" & request.size'), "ann@12");
    assert.equal(await valueOf("request.missing"), undefined);
    assert.equal(await valueOf("request.none"), null);
    assert.deepEqual(await valueOf("{'a': request.size, 'b': request.missing}"), { a: 12 });
  });

  it("gives the value of a plain path or a literal synchronously", () => {
    for (const [source, value] of [
      ["request.size", 12],
      ['request."headers".`x-user`', "ann"],
      ["request.missing.deeper", undefined],
      ["request.roles", ["admin"]],
      ["request.method.length", undefined],
      ["request.constructor", undefined],
      ['"text"', "text"],
      ["-1.5", -1.5],
      ["null", null],
    ] as const) {
      assert.equal(compiled(source).engine, "compiled", source);
      assert.deepEqual(compiled(source).evaluate(BAG, CONTEXT), value, source);
    }
  });

  it("compiles an expression that only looks like a plain path", async () => {
    for (const source of [
      "request.roles[0]",
      "request.roles[]",
      "request.*",
      "request{method: 1}",
      "request@$r.method",
    ])
      assert.equal(compiled(source).engine, "compiled", source);
    // Arrays on the path are mapped over.
    assert.deepEqual(await valueOf("list.name", { list: [{ name: "a" }, { name: ["b", "c"] }, {}] }), [
      "a",
      "b",
      "c",
    ]);
    assert.equal(await valueOf("list.name", { list: [{ name: "a" }] }), "a");
  });

  it("gives plain values: no views, no flags of sequences, no functions", async () => {
    const { view } = createRecorder(BAG);
    const headers = (await valueOf("request.headers", view)) as object;
    assert.deepEqual(headers, { "x-user": "ann", sequence: "s", ...THENABLE });
    assert.equal(Object.getPrototypeOf(headers), Object.prototype);
    const mapped = (await valueOf("[1..3].($ * 2)", view)) as object;
    assert.deepEqual(Object.getOwnPropertyNames(mapped), ["0", "1", "2", "length"]);
    assert.equal(await valueOf("function($x) { $x }"), undefined);
    assert.equal(await valueOf("$sum"), undefined);
    assert.deepEqual(await valueOf('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}'));
  });

  it("does not return the bag's own arrays and objects", async () => {
    const bag = { o: { list: [{ a: 1 }] } };
    const value = (await valueOf("o", bag)) as { list: { a: number }[] };
    (value.list[0] as { a: number }).a = 2;
    assert.deepEqual(bag, { o: { list: [{ a: 1 }] } });
  });

  it("leaves the bag unchanged, even where JSONata writes to its input", async () => {
    const bag = { empty: [], o: { a: 1 } };
    assert.deepEqual(await valueOf('empty{"k": 1}', bag), { k: 1 });
    await failureOf("(o)(1)", bag);
    assert.deepEqual(bag, { empty: [], o: { a: 1 } });
  });

  it("allows concurrent evaluations", async () => {
    const expression = compiled('request.headers."x-user" & $string($millis())');
    const values = await Promise.all(
      [1, 2, 3].map((nowMs) =>
        expression.evaluate({ request: { headers: { "x-user": `u${nowMs}` } } }, { nowMs }),
      ),
    );
    assert.deepEqual(values, ["u11", "u22", "u33"]);
  });

  it("sees the time of its context in overlapping evaluations", async () => {
    const slow = compiled("($reduce([1..200], function($a, $b) { $a + $b }); $millis())");
    const first = slow.evaluate(BAG, { nowMs: 1_000 });
    const second = compiled("$now()").evaluate(BAG, { nowMs: 2_000 });
    assert.equal(await first, 1_000);
    assert.equal(await second, "1970-01-01T00:00:02.000Z");
    assert.equal(await valueOf('$now("[Y0001]/[M01]")'), "2023/11");
    assert.equal(await valueOf("$now() ~> $toMillis()"), CONTEXT.nowMs);
  });

  it("reports whether its value is cacheable", () => {
    for (const source of [
      "$now()",
      "$millis() > 5",
      "$random() < 0.5",
      "$shuffle(request.roles)",
      "$map(a, $millis)",
    ])
      assert.equal(compiled(source).cacheable, false, source);
    for (const source of ["request.size", "$sum([1, 2])", 'now & "$now()"'])
      assert.equal(compiled(source).cacheable, true, source);
  });

  it("fails with JSONata's code, at the position of the operator or function", async () => {
    const unlike = await failureOf('  request.size > "5" ? 1 : 2');
    assert.deepEqual([unlike.code, unlike.position, unlike.token], ["T2009", 16, ">"]);
    const call = await failureOf("1 + $number(request.path)");
    assert.deepEqual([call.code, call.position, call.token], ["D3030", 12, "number"]);
    assert.match(call.message, /cannot be read as a number/);
    assert.equal((await failureOf('$error("stop")')).message, "stop");
  });

  it("shortens the request's values in its messages", async () => {
    const failure = await failureOf("$number(a)", { a: "x".repeat(5_000) });
    assert.ok(failure.message.length < 400);
  });

  it("reads text of any name, however an expression reads it", async () => {
    for (const name of [
      "_jsonata_lambda",
      "_jsonata_function",
      "_jsonata_x",
      "sequence",
      "then",
      "next",
      "a",
    ]) {
      const { view } = createRecorder({ q: { [name]: "evil" } });
      for (const source of [
        `q."${name}"`,
        `q.("${name}" in $keys($) ? "evil")`,
        `$lookup(q, "${name}")`,
        `q.*`,
        `$each(q, function($v) { $v })`,
        `$string(q) ~> $match(/evil/) ~> $lookup("match")`,
        `(q ~> function($o) { $o."${name}" })`,
        `($o := q; $o."${name}")`,
        `$merge([q])."${name}"`,
        `$spread(q)."${name}"`,
        `$sift(q, function($v) { $v = "evil" })."${name}"`,
        `q[$."${name}" = "evil"]."${name}"`,
        `$reduce([q, 1], function($o, $n) { $o."${name}" })`,
      ])
        assert.equal(await valueOf(source, view), "evil", `${name}: ${source}`);
    }
  });

  it("is not confused by attributes named like JSONata's own marks", async () => {
    const { view } = createRecorder({
      claims: { _jsonata_lambda: true, tupleStream: true, outerWrapper: ["x"], tier: "gold" },
    });
    assert.equal(await valueOf('claims.tier = "gold"', view), true);
    assert.equal(await valueOf("claims.($.tier)", view), "gold");
    assert.equal(await valueOf("claims[tier = 'gold'].tier", view), "gold");
    assert.equal(await valueOf("claims.tupleStream", view), true);
  });
});

describe("a fault of an expression", () => {
  it("is located at the mistake", () => {
    assert.deepEqual(faultOf("request.size >"), {
      code: "PURSER_EXPR_SYNTAX",
      message: "Unexpected end of expression (S0207)",
      offset: 14,
    });
    assert.equal(faultOf("(a = 1]").offset, 6);
    assert.equal(faultOf('a = "b').offset, 6);
    assert.equal(faultOf("a b").offset, 2);
  });

  it("suggests the function that was probably meant", () => {
    assert.deepEqual(faultOf('a and $contians(b, "x")'), {
      code: "PURSER_EXPR_SYNTAX",
      message: "there is no function or variable $contians (did you mean $contains?)",
      offset: 6,
    });
    assert.deepEqual(faultOf("not(a)"), {
      code: "PURSER_EXPR_SYNTAX",
      message: "not is not a function, as functions begin with a $ (did you mean $not?)",
      offset: 0,
    });
    assert.match(faultOf("($user := a; $usr)").message, /did you mean \$user\?/);
    assert.match(faultOf("$map(a, $uppercas)").message, /did you mean \$uppercase\?/);
    assert.match(faultOf("$constructor(a)").message, /no function or variable \$constructor/);
  });

  it("is not reported for a variable that is bound in any of JSONata's ways", () => {
    for (const source of [
      "($x := 1; $x)",
      "function($x) { $x }",
      "($f := λ($n) { $n < 1 ? 0 : $f($n - 1) }; $f(3))",
      "a@$b.c[$b.d = d]",
      "a#$i.{'i': $i}",
      "a[b = 1]#$i[$i < 2]",
    ])
      assert.equal(compileWithJsonata(source).ok, true, source);
  });

  it("is reported for $eval in any form, and for a picture of $toMillis", () => {
    assert.deepEqual(faultOf('1 + $eval("a")').offset, 4);
    assert.equal(faultOf("$map(a, $eval)").code, "PURSER_EXPR_FORBIDDEN");
    assert.equal(faultOf("($e := $eval; $e(b))").code, "PURSER_EXPR_FORBIDDEN");
    assert.equal(faultOf('$toMillis(a, "[Y][M]")').code, "PURSER_EXPR_FORBIDDEN");
  });

  it("is reported at the start of a regular expression that cannot be matched in linear time", () => {
    assert.deepEqual(faultOf("$contains(a, /(?=.*x)[/]/i)"), {
      code: "PURSER_EXPR_SYNTAX",
      message:
        "the regular expression cannot be used: lookahead and lookbehind are supported only where matching provably takes linear time",
      offset: 13,
    });
    assert.equal(faultOf("$contains(a, /(x+/y)\\1/)").offset, 13);
    assert.equal(faultOf("a ~> /*comment*/ /x**/").offset, 17);
  });

  it("is reported for a source too long, nested too deeply, or with too many defaults", () => {
    assert.match(faultOf("a".repeat(70_000)).message, /longer than/);
    assert.match(faultOf(`${"(".repeat(20_000)}a${")".repeat(20_000)}`).message, /nested too deeply/);
    assert.match(faultOf(`${"(".repeat(40)}a${" ?? b)".repeat(40)}`).message, /more than 16/);
  });
});
