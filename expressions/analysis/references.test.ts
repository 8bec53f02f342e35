// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { StaticReferences } from "./static-references.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";

function referencesOf(source: string): StaticReferences {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, result.ok ? "" : result.fault.message);
  return result.expression.references;
}

/** References as `request.method@10`, by path and offset; `~` at the end when they are not exact. */
function found(source: string): string {
  const { paths, exact } = referencesOf(source);
  return [...paths.map(({ path, offset }) => `${path.join(".")}@${offset}`), ...(exact ? [] : ["~"])].join(
    " ",
  );
}

describe("static references", () => {
  const cases: readonly (readonly [source: string, references: string])[] = [
    ["request.method", "request.method@0"],
    ["  request.method", "request.method@2"],
    ['request.headers."x-user"', "request.headers.x-user@0"],
    ["request.headers.`x-user`", "request.headers.x-user@0"],
    ['"request"."he\\"aders"', 'request.he"aders@0'],
    ["1 + `a b`.c", "a b.c@4"],
    ['source.user = "bob" and request.method = "GET"', "source.user@0 request.method@24"],
    ["-request.size", "request.size@1"],
    ["a.b ? c.d : e.f", "a.b@0 c.d@6 e.f@12"],
    ["a.b ?: c", "a.b@0 c@7"],
    ["a.b ?? c", "a.b@0 c@7"],
    ["[a.b, {c: d.e}]", "a.b@1 c@7 d.e@10"],
    ["request.method in [a, b]", "request.method@0 a@19 b@22"],
    ["$contains(request.path, /x/)", "request.path@10"],
    ["$$.request.method", "request.method@0"],
    ["($$ := source; $$.ip)", "source.ip@15"],
    ["function($$){$$.ip}(source)", "source@20"],
    ["$abs[$$.request.size > 1](source.port)", "request.size@5 source.port@26"],
    // Filters and maps continue the outer path.
    ["a.b[c = 1]", "a.b@0 a.b.c@4"],
    ["a.b[0]", "a.b@0"],
    ["a.(b & c.d)", "a@0 a.b@3 a.c.d@7"],
    ["a[$$.x = 1].b", "a.b@0 x@2"],
    ["a.b^(c)", "a.b@0 a.b.c@5"],
    ["a{b: c}", "a@0 a.b@2 a.c@5"],
    // Variables are aliases of paths.
    ["($h := request.headers; $h.host)", "request.headers.host@24"],
    ["($h := request.headers; $exists($h))", "request.headers@7"],
    ["(a ? b : c).d", "a@1 b.d@5 c.d@9"],
    ["$map(a.b, function($x) { $x.c & d.e })", "a.b@5 d.e@32"],
    ["a.b ~> $map(function($x) { $x.c })", "a.b@0"],
    ['$lookup(request.headers, "x-user")', "request.headers.x-user@8"],
    ["request.path.$uppercase()", "request.path@0"],
    ["1 + 2", ""],
    ["[1..3].(x)", ""],
    // The references are not exact.
    ["request.*", "request@0 ~"],
    ["**.user", "~"],
    ["$lookup(request.headers, request.path)", "request.headers@8 request.path@25 ~"],
    ["$string($)", "~"],
    ["$keys($$)", "~"],
    ["$string()", "~"],
    ["a.b.%.c", "a.b@0 ~"],
    ["request ~> |headers|{}|", "request@0 ~"],
    ["($x := a; $x := b; $x.c)", "b.c@19 ~"],
  ];
  for (const [source, references] of cases) {
    it(`of ${source} are ${references === "" ? "none" : references}`, () => {
      assert.equal(found(source), references);
    });
  }

  it("name a path once, at its first read", () => {
    assert.equal(found("b = 1 or a = 1 or b = 2"), "b@0 a@9");
  });
});
