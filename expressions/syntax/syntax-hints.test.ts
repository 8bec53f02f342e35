// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";

/** Constructs of other languages, with the offset of the fault and the hint. */
const FOREIGN: readonly (readonly [source: string, offset: number, written: RegExp])[] = [
  ['request.method == "GET"', 15, /no == .*write =$/],
  ['request.method === "GET"', 15, /no === .*write =$/],
  ['request.method !== "GET"', 15, /no !== .*write !=$/],
  ['request.method <> "GET"', 15, /no <> .*write !=$/],
  ['request.method in ("GET", "PUT")', 18, /in brackets: write in \[ … \]$/],
  ["a && b", 2, /no && .*write and$/],
  ["a || b", 2, /no \|\| .*write or$/],
  ["a AND b", 2, /no AND .*write and$/],
  ["a OR b", 2, /no OR .*write or$/],
  ["!a", 0, /no ! .*write \$not\(…\)$/],
  ["a and !b", 6, /no ! .*write \$not\(…\)$/],
  ['not request.method = "GET"', 0, /no not .*write \$not\(…\)$/],
  ['request.method not in ["GET"]', 15, /write \$not\(value in list\)$/],
  ["request.path =~ /x/", 13, /no =~ .*write \$contains/],
  ["request.path matches /x/", 13, /no matches .*write \$contains/],
  ['request.path startsWith "/x"', 13, /no startsWith .*write \$startsWith/],
  ["request.size => 5", 13, /no => .*write >=$/],
  ["a = 5 and “b” c", 10, /“ is no quote here: write "$/],
  ["not allowed here", 4, /text in it has quotes of its own: '"not allowed here"'$/],
  ["only editors may change reviews.", 5, /text in it has quotes of its own/],
  ["this is forbidden", 5, /text in it has quotes of its own/],
  ["you can't do that!", 4, /text in it has quotes of its own/],
  ["sign in as staff", 11, /text in it has quotes of its own/],
];

/** Other mistakes, which keep the parser's own message and offset. */
const OWN: readonly (readonly [source: string, offset: number, message: RegExp])[] = [
  ['(request.method = "GET"', 23, /^Expected "\)" before end of expression/],
  ['request.method = "GET" and', 26, /^Unexpected end of expression/],
  ['"a == b', 7, /^String literal must be terminated/],
  ['request.headers."x" = "a && b" and', 34, /^Unexpected end/],
];

function faultOf(source: string): { readonly message: string; readonly offset: number } {
  const result = compileWithJsonata(source);
  if (result.ok) assert.fail(`${source} compiles`);
  assert.equal(result.fault.code, "PURSER_EXPR_SYNTAX");
  return result.fault;
}

describe("a hint for a source that JSONata cannot parse", () => {
  for (const [source, offset, written] of FOREIGN) {
    it(`hints what to write in place of ${source}`, () => {
      const fault = faultOf(source);
      const [, message = "", code] = /^(.*) \((S\d{4})\)$/.exec(fault.message) ?? [];
      assert.match(message, written);
      assert.match(String(code), /^S\d{4}$/);
      assert.equal(fault.offset, offset);
    });
  }

  for (const [source, offset, message] of OWN) {
    it(`leaves ${source} to the parser`, () => {
      const fault = faultOf(source);
      assert.match(fault.message, message);
      assert.equal(fault.offset, offset);
    });
  }
});
