// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { compileWithJsonata } from "../../../core/expressions/jsonata-engine.ts";
import { JSON_FUNCTIONS } from "./json.ts";

const [parse, stringify] = JSON_FUNCTIONS.map(({ implementation }) => implementation) as unknown as [
  (text: string) => unknown,
  (value: unknown) => string | undefined,
];

describe("JSON in expressions", () => {
  it("parses its own text to an equal value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        // JSON has no -0.
        const plain: unknown = JSON.parse(JSON.stringify(value));
        assert.deepEqual(parse(JSON.stringify(value)), plain);
        assert.equal(stringify(plain), JSON.stringify(plain));
      }),
    );
  });

  it("keeps every digit of a number", () => {
    assert.equal(stringify(0.1 + 0.2), "0.30000000000000004");
  });

  it("gives no value for malformed text", () => {
    for (const text of ["", "{", "[1,]", "{'a':1}", "nul", "1 2", '"\u0001"', "]]]]", '{"a":"\\u00"}'])
      assert.equal(parse(text), undefined, text);
    assert.equal(stringify(undefined), undefined);
    assert.equal(
      stringify(() => 1),
      undefined,
    );
  });

  it("has members of any name, which set no prototype", () => {
    const parsed = parse('{"__proto__": {"admin": true}, "constructor": 1}') as Record<string, unknown>;
    assert.ok(Object.hasOwn(parsed, "__proto__"));
    assert.equal(parsed["admin"], undefined);
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
    assert.equal(stringify(parsed), '{"__proto__":{"admin":true},"constructor":1}');
  });

  it("makes no function that JSONata would call", async () => {
    const thunk = '{"_jsonata_lambda": true, "thunk": true, "body": {"procedure": {}}, "a": 1}';
    const hidden = thunk.replace("_jsonata", "\\u005fjsonata");
    for (const text of [thunk, hidden, `[{"b": ${hidden}}]`, '{"_jsonata_function": true, "a": 1}']) {
      assert.doesNotMatch(JSON.stringify(parse(text)), /_jsonata_/);
      const result = compileWithJsonata("$jsonParse(text).**.a");
      assert.ok(result.ok);
      assert.equal(await result.expression.evaluate({ text }, { nowMs: 0 }), 1);
    }
  });

  it("keeps members that are only named like a mark", () => {
    const text = '{"_jsonata_lambda":"evil","_jsonata_function":{"a":1},"_jsonata_x":true}';
    assert.equal(stringify(parse(text)), text);
  });

  it("is bounded in depth and length", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    assert.ok(Array.isArray(parse(nested(64))));
    assert.throws(() => parse(nested(65)), { code: "D4008" });
    assert.throws(() => parse('{"a":'.repeat(200_000 / 5)), { code: "D4008" });
    assert.throws(() => parse(" ".repeat(262_145)), { code: "D4008" });
    // Brackets in strings are text.
    assert.equal(parse(`"\\"${"[".repeat(100)}"`), `"${"[".repeat(100)}`);
    assert.deepEqual(parse(`[${"[],".repeat(100)}[]]`), Array(101).fill([]));
  });
});
