// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { compile } from "../../expressions/index.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import { FUNCTIONS } from "../../expressions/functions/functions.ts";
import { COMPILED_FUNCTIONS } from "../../expressions/functions/compiled-functions.ts";
import { createJsonataCompiler } from "./jsonata-engine.ts";
import { REQUEST_LIMITS } from "./limits.ts";
import { Guard } from "../../expressions/runtime/guard.ts";

const CONTEXT = { nowMs: 0 };
const compileForRequests = createJsonataCompiler({}, () => performance.now());

/** The error code of an evaluation; "" when it gives a value. */
async function codeOf(
  source: string,
  bag: AttributeBag = {},
  compileWith = compileForRequests,
): Promise<string> {
  const result = compileWith(source);
  if (!result.ok) return result.fault.code;
  try {
    await result.expression.evaluate(bag, CONTEXT);
    return "";
  } catch (error: unknown) {
    assert.ok(error instanceof ExpressionError, String(error));
    return error.code;
  }
}

/** A value of 2³⁴ parts, all of them shared. */
const SHARED =
  "$d := function($a, $n) { $n = 0 ? $a : $d([[$a], [$a]], $n - 1) }; $x := $d([0], 34); $y := $d([{}], 34)";

/** Parameters of a function from its reference signature: `<s-(sf)n?:b>`. */
function parametersOf(name: string): readonly string[] {
  const definition = COMPILED_FUNCTIONS.get(name)?.signature?.definition ?? "";
  return (
    definition
      .replace(/:[^:]*>$/, "")
      .slice(1)
      .match(/(?:\([a-z]+\)|[a-z])(?:<[^>]*>)?/g) ?? []
  );
}

/** Arguments for a function, by the types of its parameters. */
function argumentsFor(name: string, large: string, text: string): readonly string[] {
  return parametersOf(name).map((parameter) => {
    if (parameter.includes("f") && !parameter.includes("s")) return "function($v) { $v }";
    if (parameter.startsWith("s") || parameter.startsWith("(s")) return text;
    if (parameter.startsWith("n")) return "9999";
    if (parameter.startsWith("b")) return "true";
    return large;
  });
}

describe("a guard", () => {
  it("cannot be switched off by an invalid number of steps", () => {
    const wrong = [Number.NaN, -1, -Infinity, "y", undefined, null, {}, [], "1e9", Infinity];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...wrong), fc.double(), fc.string(), fc.boolean())),
        (steps) => {
          const guard = new Guard({ steps: 10_000, nowMs: () => 0 });
          guard.start();
          const stopped = (): boolean => {
            try {
              for (const count of steps) guard.tick(count as number);
              for (let turn = 0; turn <= 10_000; turn++) guard.tick();
              return false;
            } catch (error: unknown) {
              return (error as { code?: unknown }).code === "D1012";
            }
          };
          assert.ok(stopped());
        },
      ),
    );
  });

  it("stops at exactly the step limit, with a clock or without", () => {
    for (const monotonicMs of [undefined, () => 0])
      for (const steps of [1, 2_047, 2_048, 2_049, 5_000]) {
        const guard = new Guard({ steps, timeMs: 10, nowMs: () => 0, monotonicMs });
        guard.start();
        for (let turn = 0; turn < steps; turn++) guard.tick();
        assert.throws(() => guard.tick(), { code: "D1012" }, String(steps));
      }
  });

  it("stops by the clock, but not for a single pause of the process", () => {
    let now = 0;
    const guard = new Guard({ steps: 1e9, timeMs: 30, nowMs: () => 0, monotonicMs: () => now });
    guard.start();
    guard.tick(3_000);
    now += 10_000;
    guard.tick(3_000);
    assert.throws(
      () => {
        for (let turn = 0; turn < 100; turn++) {
          now += 1;
          guard.tick(2_000);
        }
      },
      { code: "D1012" },
    );
  });

  it("leaves a cheap evaluation its first steps after another has used up the shared budget", () => {
    const meter = { steps: 0, workMs: 0 };
    const guard = new Guard({ steps: 10_000, nowMs: () => 0 });
    guard.start(0, meter);
    assert.throws(() => guard.tick(20_000), { code: "D1012" });
    guard.start(0, meter);
    guard.tick(1_000);
    assert.throws(() => guard.tick(10_000), { code: "D1012" });
  });
});

describe("the expressions of one request", () => {
  it("share one budget", () => {
    const result = compileForRequests("$count([1..9999].($ + 1)) > 0");
    assert.ok(result.ok);
    const reads = new Reads({});
    const codes: unknown[] = [];
    for (let turn = 0; turn < 40; turn++)
      try {
        void result.expression.evaluate({}, { nowMs: 0, reads });
      } catch (error: unknown) {
        codes.push((error as { code?: unknown }).code);
      }
    assert.ok(codes.length > 10 && codes.every((code) => code === "D1012"), codes.join());
    assert.equal(result.expression.evaluate({}, { nowMs: 0, reads: new Reads({}) }), true);
  });
});

describe("a regular expression that is called", () => {
  it("begins at the offset in its second argument, read as RegExp reads lastIndex", async () => {
    for (const [from, start] of [
      ["0", 0],
      ["1", 2],
      ["-1", 0],
      ["'1'", 2],
      ["'x'", 0],
      ["1e15", undefined],
      ["0.9", 0],
      ["true", 2],
      ["null", 0],
      ["{}", 0],
      ["[1]", 0],
      ["/a/", 0],
    ] as const)
      for (const pattern of ["/[ab]/", "/(a|b)/", "/(?:a|b)|(x+)+y/"]) {
        const source = `($m := ${pattern}; $m("ab", ${from}).start)`;
        if (compile(source).engine !== "compiled") continue;
        const value: unknown = compile(source).evaluate({});
        const expected = start === 2 ? 1 : start;
        assert.equal(value, expected, source);
      }
  });

  it("keeps the guard's step count valid", async () => {
    for (const from of ["1e15", "-1e15", '"y"', "[]", "{}", "$m", "null", "true"])
      for (const call of [
        `$m("x", ${from})`,
        `$sift({"k": "x"}, $m)`,
        `$each({"k": "x"}, $m)`,
        `$map(["x"], $m)`,
      ])
        assert.equal(
          await codeOf(`($m := /a/; ${call}; $f := function($n) { $n < 0 ? 1 : $f($n + 1) }; $f(1))`),
          "D1012",
          call,
        );
  });
});

describe("a large value", () => {
  it("is walked by no function for longer than the budget", async () => {
    for (const name of FUNCTIONS.keys())
      for (const large of ["$x", "[$x, $y]", "$y"]) {
        const given = argumentsFor(name, large, '"a"');
        if (name === "toMillis" || given.length === 0) continue;
        for (const call of [
          `$${name}(${given.join(", ")})`,
          `$${name}(${given.map(() => large).join(", ")})`,
          `$map([${large}], $${name})`,
          `${large} ~> $${name}(${given.map((_, index) => (index === 0 ? "?" : given[index])).join(", ")})`,
        ]) {
          const started = performance.now();
          await codeOf(`(${SHARED}; ${call})`);
          const took = performance.now() - started;
          assert.ok(took < 2_000, `${call} took ${took} ms`);
        }
      }
  }).timeout(120_000);

  it("is stopped by size or by steps where a function would walk it", async () => {
    for (const call of [
      '$lookup($x, "k")',
      "$keys($x)",
      "$keys($y)",
      "$distinct([[$x], [$d([0], 34)]])",
      "$map([[$x]], $boolean)",
      "$map([[$x]], $not)",
      "$jsonStringify($x)",
      "$string($x)",
      "$clone($x)",
      "$spread($y)",
      "$x = $d([0], 34)",
      "$x ~> |$|{}|",
      "$x.k",
      "**",
      "[$x]",
      "$x",
    ].map((call) => (call === "**" ? "$count($x.**)" : call)))
      assert.match(await codeOf(`(${SHARED}; ${call})`), /^D(?:1012|2015)$/, call);
  });

  it("is not read or written repeatedly by any function", async () => {
    const text = "($t := $join([1..90].$pad('', 9999, 'aé')); [1..9999].$count(CALL))";
    for (const name of FUNCTIONS.keys()) {
      const given = argumentsFor(name, "[$t & $, $t]", "($t & $)");
      if (name === "toMillis" || given.length === 0) continue;
      const started = performance.now();
      await codeOf(text.replace("CALL", `$${name}(${given.join(", ")})`));
      const took = performance.now() - started;
      assert.ok(took < 2_000, `${name} took ${took} ms`);
    }
  }).timeout(60_000);

  it("is searched in time linear in text and part", () => {
    const [text, part] = ["a".repeat(60_000), `${"a".repeat(20_000)}b${"a".repeat(20_000)}`];
    for (const source of [
      "$contains(text, part)",
      "$split(text, part)",
      '$replace(text, part, "x")',
      "$substringBefore(text, part)",
      "$substringAfter(text, part)",
      "$split(text, part)[1]",
    ]) {
      const started = performance.now();
      compile(source).evaluate({ text, part });
      const took = performance.now() - started;
      assert.ok(took < 200, `${source} took ${took} ms`);
    }
  });
});

/** Protocol properties that JavaScript looks up on an object. */
const PROTOCOLS = [
  ..."toJSON then catch finally toString valueOf toLocaleString constructor call apply bind length name prototype".split(
    " ",
  ),
  ..."next return throw done value arity get set has size inspect __proto__ hasOwnProperty toISOString".split(
    " ",
  ),
];

describe("a function of the language", () => {
  it("is never called by JavaScript, under any name and in any place", async () => {
    for (const protocol of PROTOCOLS)
      for (const made of [
        'function($a, $b) { $error("called") }',
        "$error",
        "/x/",
        "$error(?)",
        '$match("x", ?)',
      ]) {
        const object = `{"${protocol}": ${made}, "k": 1}`;
        for (const use of [
          "$o",
          "[$o, $o]",
          "$string($o)",
          "$clone($o).k",
          "$o ~> |$|{}|",
          "$jsonStringify($o)",
        ]) {
          const given: unknown = await compile(`($o := ${object}; ${use})`).evaluate({});
          assert.doesNotMatch(JSON.stringify(given) ?? "", /called/, use);
        }
        if (!made.startsWith("function")) continue;
        for (const name of FUNCTIONS.keys()) {
          if (name === "error" || name === "assert") continue;
          const values = argumentsFor(name, "$o", "$o");
          for (const call of [
            `$${name}($o)`,
            `$${name}(${values.join(", ")})`,
            `$o ~> $${name}(${["?", ...values.slice(1)].join(", ")})`,
          ]) {
            let outcome: unknown;
            try {
              outcome = await compile(`($o := ${object}; ${call})`).evaluate({});
            } catch (error: unknown) {
              outcome = (error as { message?: unknown }).message;
            }
            assert.notEqual(outcome, "called", `${call} of ${object}`);
          }
        }
      }
  }).timeout(60_000);

  it("is serialised as the reference serialises it", () => {
    assert.equal(compile('$string({"toJSON": function() { 1 }})').evaluate({}), '{"toJSON":""}');
    assert.equal(compile('$string({"toJSON": $f})').evaluate({}, { f: () => "called" }), '{"toJSON":""}');
  });

  it("makes no thenable of an object that holds it as `then`", async () => {
    for (const value of ["function($r) { 0 }", 'function($r) { $r("hijacked") }', "$sum", "/x/", "$f"]) {
      const source = `{"then": ${value}, "k": 1}`;
      const given = (await compile(source).evaluate(
        {},
        { f: (r: (v: string) => void) => r("hijacked") },
      )) as { k: unknown };
      assert.equal(given.k, 1, source);
    }
  });

  it("can be called by a host function", () => {
    const twice = (call: (value: number) => number) => call(call(3));
    assert.equal(compile("$twice(function($n) { $n * 2 })", { bindings: { twice } }).evaluate({}), 12);
  });
});

/** Sources that nest, or repeat, one construct of the language. */
const GROWING: readonly (readonly [unit: string, core: string, end: string])[] = [
  ["(", "a", " ?? a)"],
  ["(", "a", " ?: a)"],
  ["[", "a", "] ?? 1"],
  ['{"a": ', "1", "}"],
  ['x.{"a": ', "1", "}"],
  ["x.(", "y", ")"],
  ["x[", "y", "]"],
  ["x^(", "y", ")"],
  ["$map(x, function($v) {", "$v", "})"],
  ["$contains(", "x", ', "a")'],
  ["$replace(x, /a/, ", "x", ")"],
  ["$split(", "x", ', "a")[0]'],
  ["$not(", "x", ")"],
  ["(x ? ", "1", " : 2)"],
  ["(x in [", "1", "])"],
  ["x{'a': ", "y", "}"],
  ["$append(1, ", "x", ")"],
  ["(function($a) {", "1", "})(x)"],
  ["(x@$a.y#$i.", "z", ")"],
  ["x ~> |a|{'b': ", "1", "}|"],
  ["-(", "x", ")"],
  ["(x := ", "1", ")"],
  ["($x := ", "1", "; $x)"],
  ["a.b = 'x' or ", "a", ""],
  ["1 + ", "1", ""],
  ["a.", "a", ""],
  ["$a := ", "1", ""],
  ["a ?? ", "a", ""],
  ["$match(a, /x+y/) and ", "a", ""],
];

describe("the source of an expression", () => {
  it("is compiled, or refused when too large, at once", () => {
    for (const [unit, core, end] of GROWING)
      for (const count of [8, 16, 24, 48, 400, 4_000]) {
        const source = unit.repeat(count) + core + end.repeat(count);
        const started = performance.now();
        const result = compileForRequests(source);
        const took = performance.now() - started;
        assert.ok(took < 1_000, `${count} times ${unit} took ${took} ms`);
        if (!result.ok) assert.ok(result.fault.offset >= 0 && result.fault.offset <= source.length);
      }
  }).timeout(60_000);

  it("is refused in purser/expressions when its nested ?? copy too much", () => {
    for (const count of [24, 60]) {
      const source = `${"(".repeat(count)}a${"??a)".repeat(count)}`;
      assert.throws(() => compile(source), { code: "D1011" });
    }
    assert.equal(compile(`a${" ?? b".repeat(60)}`).evaluate({ b: 1 }), 1);
  });
});

/** Prefix that makes an expression interpreted. */
const INTERPRETED = "[$z := 1]";

describe("an interpreted expression", () => {
  it("has the limits of steps, of time and of weight", async () => {
    for (const source of [
      `(${INTERPRETED}; $f := function($n) { $f($n + 1) }; $f(1))`,
      `(${INTERPRETED}; ${SHARED}; $lookup($x, "k"))`,
      `(${INTERPRETED}; ${SHARED}; $x = $y)`,
      `(${INTERPRETED}; $map([1..9999], $append([1..9999], ?)))`,
      `(${INTERPRETED}; [1..9000].$match($$.text, /(a|b)*c/))`,
      `(${INTERPRETED}; [1..9000].$uppercase($$.text))`,
      `(${INTERPRETED}; [9007199254740992..9007199254740994])`,
      `(${INTERPRETED}; $reduce([1..60], function($a, $b) { $a & $a }, "aaaaaaaa"))`,
      `(${INTERPRETED}; $sift({"k": "x"}, /x/); $f := function() { $f() }; $f())`,
    ]) {
      const bag = { text: "ab".repeat(20_000) };
      const result = compileForRequests(source);
      assert.ok(result.ok && result.expression.engine === "interpreted", source);
      assert.match(await codeOf(source, bag), /^D(?:1012|2015)$/, source);
      for (const limits of [{ steps: 100_000 }, { timeMs: 20 }]) {
        const free = compile(source, { limits: { sequence: 10_000, weight: 1_000_000, ...limits } });
        await assert.rejects(async () => free.evaluate(bag), { code: /^D(?:1012|2015)$/ }, source);
      }
    }
  }).timeout(60_000);

  it("reports which limit it exceeded", async () => {
    const free = compile(`(${INTERPRETED}; $f := function() { $f() }; $f())`, { limits: { steps: 10_000 } });
    await assert.rejects(async () => free.evaluate({}), /took more than 10000 steps/);
  });

  it("has the default limits in $eval too", async () => {
    const endless = "$eval('($f := function($n) { $f($n + 1) }; $f(1))')";
    await assert.rejects(async () => compile(endless).evaluate({}), { code: "D3121" });
    const doubling = `$eval('${"(".repeat(40)}a${"??a)".repeat(40)}')`;
    await assert.rejects(async () => compile(doubling).evaluate({}), { code: "D3120" });
  }).timeout(60_000);
});

describe("the limits of documents", () => {
  it("end a plain loop in well under 50 ms", () => {
    assert.ok(Number(REQUEST_LIMITS.timeMs) < 50);
  });
});
