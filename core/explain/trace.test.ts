// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../attributes/bag.ts";
import { createRecorder } from "../../expressions/runtime/reads/recorder.ts";
import { compileWithJsonata, createTracer } from "../expressions/jsonata-engine.ts";
import { DEFAULT_REDACTED_PATHS, Redaction } from "./redaction.ts";
import { type Trace, traceExpression } from "./trace.ts";
import { DEFAULT_TRACE_LIMITS, type TraceLimits, type TraceNode } from "./trace-node.ts";

const BAG: AttributeBag = {
  request: {
    method: "GET",
    url_path: "/reviews/7",
    size: 12,
    headers: { "x-user": "ann", authorization: "Bearer s3cr3t-token", "x-groups": "staff,readers" },
  },
  source: { labels: ["a", "b", "c", "d", "e"] },
};

function trace(source: string, bag: AttributeBag = BAG, limits?: TraceLimits): Promise<Trace> {
  const compiled = compileWithJsonata(source);
  assert.ok(compiled.ok, source);
  const redaction = new Redaction(bag, DEFAULT_REDACTED_PATHS);
  const secretive = redaction.concerns(compiled.expression.references);
  return traceExpression(
    createTracer()(source),
    bag,
    { nowMs: 1_700_000_000_000 },
    { redaction, secretive, ...(limits === undefined ? {} : { limits }) },
  );
}

function all(node: TraceNode): readonly TraceNode[] {
  return [node, ...node.children.flatMap(all)];
}

async function valuesOf(source: string): Promise<Record<string, string>> {
  const { root } = await trace(source);
  return Object.fromEntries(
    all(root).map(({ text, values, skipped }) => [text, skipped ? "skipped" : values.join(" | ")]),
  );
}

async function decidingOf(source: string): Promise<readonly string[]> {
  const { root } = await trace(source);
  return all(root)
    .filter(({ decides }) => decides)
    .map(({ text }) => text);
}

describe("a trace", () => {
  it("has the value of every part, and marks parts that were not reached", async () => {
    assert.deepEqual(await valuesOf('request.method = "POST" and request.size > 10'), {
      'request.method = "POST" and request.size > 10': "false",
      'request.method = "POST"': "false",
      "request.method": '"GET"',
      '"POST"': '"POST"',
      "request.size > 10": "skipped",
      "request.size": "skipped",
      "10": "skipped",
    });
  });

  it("uses the frozen clock, and shows absent values", async () => {
    const values = await valuesOf("$millis() > 5 and $exists(request.id)");
    assert.equal(values["$millis()"], "1700000000000");
    assert.equal(values["request.id"], "nothing");
  });

  it("shows both sides of ?? and ?: as they stand in the source, each evaluated once", async () => {
    const { root } = await trace('request.id ?? request.headers."x-user"');
    assert.deepEqual(
      root.children.map(({ text, values, count }) => [text, values, count]),
      [
        ["request.id", ["nothing"], 1],
        ['request.headers."x-user"', ['"ann"'], 1],
      ],
    );
    assert.equal(root.kind, "??");
  });

  it("counts what is evaluated for each item, and keeps only the first values", async () => {
    const { root } = await trace('source.labels[$ != "c"]');
    const filter = all(root).find(({ kind }) => kind === "!=");
    assert.equal(filter?.count, 5);
    assert.deepEqual(filter?.values, ["true", "true", "false"]);
  });

  it("names the part that failed, and has the engine's error", async () => {
    const { result, root } = await trace('request.method = "GET" and (request.size > "x")');
    assert.ok(!result.ok);
    assert.deepEqual(
      all(root)
        .filter(({ failed }) => failed)
        .map(({ text }) => text),
      ['request.size > "x"'],
    );
    assert.equal((result.error as { code?: string }).code, "T2009");
  });

  it("reads no more of the bag than the engine does", async () => {
    for (const source of [
      'request.headers."x-user" = "ann"',
      "request.id ?? request.size",
      "$keys(request.headers)",
    ]) {
      const traced = createRecorder(BAG);
      const plain = createRecorder(BAG);
      const redaction = new Redaction(traced.view, DEFAULT_REDACTED_PATHS);
      await traceExpression(
        createTracer()(source),
        traced.view,
        { nowMs: 0 },
        { redaction, secretive: false },
      );
      const compiled = compileWithJsonata(source);
      assert.ok(compiled.ok);
      await compiled.expression.evaluate(plain.view, { nowMs: 0 });
      assert.deepEqual(traced.references(), plain.references(), source);
    }
  });

  it("shows all values except those derived from a redacted attribute", async () => {
    const source =
      'request.method = "GET" and $substringAfter(request.headers.authorization, "Bearer ") = "s3cr3t-token"';
    const { root } = await trace(source);
    const shown = JSON.stringify(all(root).flatMap(({ values }) => values));
    assert.ok(!shown.includes("Bearer s3cr3t"));
    const parts = Object.fromEntries(all(root).map(({ text, values }) => [text, values[0]]));
    assert.equal(parts["request.headers.authorization"], "[redacted]");
    assert.equal(parts['$substringAfter(request.headers.authorization, "Bearer ")'], "[redacted]");
    assert.equal(parts["request.method"], '"GET"');
    const headers = await trace("request.headers");
    assert.ok(!JSON.stringify(headers.root).includes("s3cr3t"));
  });

  it("is subject to the engine's limits", async () => {
    const tracer = createTracer({ sequence: 5 });
    const options = { redaction: new Redaction(BAG, []), secretive: false };
    const { result } = await traceExpression(tracer("$count([1..6])"), BAG, { nowMs: 0 }, options);
    assert.equal(result.ok ? undefined : (result.error as { code?: string }).code, "D2015");
    const endless = await trace("($f := function() { $f() }; $f())");
    assert.equal(endless.result.ok ? undefined : (endless.result.error as { code?: string }).code, "D1012");
  });

  it("keeps within its limits", async () => {
    const source = Array.from({ length: 40 }, (_, index) => `request.size > ${index}`).join(" and ");
    const limits = { ...DEFAULT_TRACE_LIMITS, nodes: 30, depth: 10, valueLength: 5 };
    const { root } = await trace(source, BAG, limits);
    assert.ok(all(root).length <= 30);
    const long = await trace('$join(source.labels, "-------")', BAG, limits);
    assert.ok(long.root.values.every((value) => value.length <= 10));
  });

  it("goes through every form of expression", async () => {
    const sources = [
      "source.labels#$i.{ 'at': $i, 'is': $ }",
      "request.headers@$h.$h.`x-user`",
      "request.{ method: size }",
      "request.headers.*",
      "request.**[$ = 'ann']",
      "request.headers.`x-user`.%.authorization",
      "source.labels^(>$)[0]",
      "$map([1..3], function($v) { $v * request.size })",
      "($f := function($n) { $n <= 0 ? 'done' : $f($n - 1) }; $f(20))",
      "$sum(source.labels.(1))",
      "request ~> |$|{ 'seen': true }, 'headers'|",
      "$uppercase ~> function($f) { $f('a') }",
      "'a' ~> $uppercase() ~> $length()",
      "[request.size, -request.size, -(3)]",
      "$substring(?, 1)('abc')",
      "/a+/i ~> $type",
      "$match(request.url_path, /\\d+/)[0].match",
      "(request.size > 5)[0] ? 'x'",
      "$exists(request.id) ? 1 : request.size ?: 2",
      "$lookup(request.headers, 'x-user') ?? 'nobody'",
    ];
    for (const source of sources) {
      const compiled = compileWithJsonata(source);
      if (!compiled.ok) assert.fail(`${source}: ${compiled.fault.message}`);
      const expected = await compiled.expression.evaluate(BAG, { nowMs: 1_700_000_000_000 });
      const { result, root } = await trace(source);
      assert.deepEqual(result, { ok: true, value: expected }, source);
      for (const { text, start, end, skipped, count, failed } of all(root)) {
        assert.equal(text, source.slice(start, end), source);
        assert.equal(skipped === true, count === 0, `${text} in ${source}`);
        assert.equal(failed, undefined, `${text} in ${source}`);
      }
    }
  });

  it("has the same result as the engine", async () => {
    const operand = fc.constantFrom(
      "true",
      "false",
      "request.id",
      'request.method = "GET"',
      "request.size > 20",
      "request.headers.`x-user`",
      "request.size / 0",
      'request.size > "x"',
      "[1..3]",
      "$count(source.labels[$ = 'b'])",
      "$millis() % 7",
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 3 },
        operand,
        fc
          .tuple(tie("expression"), fc.constantFrom("and", "or", "??", "?:", "=", "&"), tie("expression"))
          .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
        tie("expression").map((inner) => `$not(${inner})`),
        fc
          .tuple(tie("expression"), tie("expression"), tie("expression"))
          .map(([a, b, c]) => `((${a}) ? (${b}) : (${c}))`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(expression, async (source) => {
        const compiled = compileWithJsonata(source);
        fc.pre(compiled.ok);
        const expected = await Promise.resolve()
          .then(() => compiled.expression.evaluate(BAG, { nowMs: 1_700_000_000_000 }))
          .then(
            (value) => ({ value }),
            (error: { code?: string }) => ({ code: error.code }),
          );
        const { result, root } = await trace(source);
        const given = result.ok
          ? { value: result.value }
          : { code: (result.error as { code?: string }).code };
        assert.deepEqual(given, expected);
        const deciding = all(root).filter(({ decides }) => decides);
        assert.ok(deciding.length > 0 && deciding.every(({ skipped }) => !skipped));
      }),
      { numRuns: 150 },
    );
  });
});

describe("the deciding clause", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['request.method = "POST" and request.size > 20', ['request.method = "POST"']],
    ['request.method = "GET" and request.size > 20', ["request.size > 20"]],
    ['request.method = "GET" and request.size > 2', ['request.method = "GET"', "request.size > 2"]],
    ['request.method = "POST" or request.size > 2', ["request.size > 2"]],
    ['request.method = "POST" or request.size > 20', ['request.method = "POST"', "request.size > 20"]],
    ['$not((request.method = "GET" or request.size > 2))', ['request.method = "GET"']],
    ['request.method = "GET" ? request.size > 20 : true', ["request.size > 20"]],
    ['request.method = "GET" ? false : true', ['request.method = "GET"']],
    ["request.id ?? (request.size > 20)", ["request.size > 20"]],
    ["request.size", ["request.size"]],
    ['request.method = "GET" and request.size > "x"', ['request.size > "x"']],
    ['source.labels[$ = "b" or $ = "c"]', ['source.labels[$ = "b" or $ = "c"]']],
  ];
  for (const [source, expected] of cases) {
    it(`of ${source}`, async () => assert.deepEqual(await decidingOf(source), expected));
  }
});
