// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import jsonata from "jsonata";
import { type AstNode, childrenOf, walk } from "./ast.ts";
import { type SourceRange, sourceRanges } from "./source-ranges.ts";

function parse(source: string): AstNode {
  return jsonata(source).ast() as unknown as AstNode;
}

/** Nodes as `type: text`, outermost first. */
function texts(source: string): readonly string[] {
  const ast = parse(source);
  const ranges = sourceRanges(ast, source);
  const found: string[] = [];
  walk(ast, (node) => {
    const { start, end } = ranges.get(node) as SourceRange;
    found.push(`${node.type}: ${source.slice(start, end)}`);
  });
  return found;
}

const NAMES = ["a", "b", "`x y`", '"q\\"]("', "'s'", "and", "in"];

const expression = fc.letrec<{ any: string; path: string; literal: string }>((tie) => {
  const of = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc
      .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
      .map((parts) => parts.join(""));
  const any = tie("any");
  const path = tie("path");
  const blank = fc.constantFrom("", " ", "/* ( [ */", "\n");
  const operator = fc.constantFrom(
    "=",
    "!=",
    "<",
    ">=",
    "&",
    " in ",
    " and ",
    " or ",
    "+",
    "-",
    "*",
    "/",
    "%",
  );
  return {
    literal: fc.constantFrom('"a"', "'b)'", '"\\\\"', "1", "-2.5e3", "- 7", "true", "null", "/(a)\\/[/]/i"),
    path: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
      of(path, blank, ".", blank, fc.constantFrom(...NAMES)),
      of(path, blank, "[", any, "]"),
      of(path, "[]"),
      of("(", any, ")[1]"),
      of(path, ".%.", path),
      of(path, ".*"),
      of(path, ".(", any, ")"),
      of(path, "@$f.", path),
      of(path, "#$i[$i = 1]"),
      of(path, "^(<", path, ",", blank, ">", path, ")"),
      fc.constantFrom("$", "$$", "**", "*", "$v"),
    ),
    any: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 3, arbitrary: path },
      { weight: 2, arbitrary: tie("literal") },
      of(blank, any, operator, blank, any),
      of("-", path),
      of("(", any, operator, any, ")"),
      of(any, blank, fc.constantFrom("?:", "??"), " ", any),
      of(any, " ? ", any, " : ", any),
      of("[", any, ",", any, blank, "]"),
      of("[", any, "..", any, "]"),
      of('{"k":', any, blank, "}"),
      of("$f(", any, ",", tie("literal"), blank, ")"),
      of("$f(?, ", any, ")"),
      of(path, '{"k":', any, "}"),
      of(path, " ~> $f(", any, ")"),
      of("function($v, $w)<s-n:b>{ $f(", any, ") }"),
      of("(", "$v := ", any, "; ", any, blank, ")"),
      of(path, " ~> |", path, "|{'z':", any, "}, ", any, "|"),
    ),
  };
}).any;

describe("the source ranges of an expression's parts", () => {
  const cases: readonly (readonly [source: string, ranges: string])[] = [
    [" a . b ", "path: a . b | name: a | name: b"],
    ["(a)[0] = -5", "binary: (a)[0] = -5 | block: (a)[0] | path: a | name: a | number: 0 | number: -5"],
    ["a ?? b", "condition: a ?? b | function: a | variable: a | path: a | name: a | path: a | name: a"],
    ['$f(/(a)[x]/i, "(" )', 'function: $f(/(a)[x]/i, "(" ) | variable: $f | regex: /(a)[x]/i | string: "("'],
    ["a.%.b", "path: a.%.b | name: a | parent: % | name: b"],
    ["a[] /*]*/", "path: a[] | name: a[]"],
    ["function($x){$f($x)}", "lambda: function($x){$f($x)} | variable: $x | lambda: $f($x)"],
  ];
  for (const [source, expected] of cases) {
    it(`are those of ${source.trim()}`, () => {
      assert.equal(`${texts(source).join(" | ")} |`.slice(0, expected.length + 2), `${expected} |`);
    });
  }

  it("nest, and the text of each parses to the same kind of expression", () => {
    let parsed = 0;
    fc.assert(
      fc.property(expression, (source) => {
        let ast: AstNode;
        try {
          ast = parse(source);
        } catch {
          return; // The generator also makes texts that do not parse.
        }
        parsed++;
        const ranges = sourceRanges(ast, source);
        const check = (node: AstNode, parent: SourceRange) => {
          const range = ranges.get(node);
          assert.ok(range !== undefined && range.start < range.end, `${node.type} has a text`);
          assert.ok(range.start >= parent.start && range.end <= parent.end, `${node.type} is within`);
          const text = source.slice(range.start, range.end);
          assert.equal(text.trim(), text);
          if (node.position !== undefined && node.type !== "sort" && node.type !== "operator") {
            const again = parsePart(node.value === ".." ? `[${text}]` : text);
            if (again !== undefined)
              assert.ok(sortsOf(again).includes(sortOf(node)), `${sortOf(node)} is ${JSON.stringify(text)}`);
          }
          for (const child of childrenOf(node)) check(child, range);
        };
        check(ast, { start: 0, end: source.length });
      }),
      { numRuns: 120 },
    );
    assert.ok(parsed > 60, `only ${parsed} expressions`);
  });
});

/**
 * Parses the text of a part; undefined for a part that needs its surroundings: `%` is an ancestor outside it
 * (S0217).
 */
function parsePart(text: string): AstNode | undefined {
  try {
    return parse(text);
  } catch (error: unknown) {
    if ((error as { code?: string }).code === "S0217") return undefined;
    throw error;
  }
}

function sortOf(node: AstNode): string {
  if (node.thunk === true) return "function";
  return node.type === "string" ? "name" : node.type;
}

/**
 * Types that are equivalent: a single name is a path of one step, and a name within a path parses alone as a
 * string.
 */
function sortsOf(node: AstNode): readonly string[] {
  const range = (node.expressions ?? []).filter((item) => item.value === "..").map(sortOf);
  return [sortOf(node), ...(node.steps ?? []).map(sortOf), ...range];
}
