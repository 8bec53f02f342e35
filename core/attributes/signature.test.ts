// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { type AttributeBag, type AttributeValue, valueAt } from "./bag.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { signatureOf } from "./signature.ts";

const exact = (...path: string[]): AttributeReference => ({ path, condition: "EXACT" });
const absence = (...path: string[]): AttributeReference => ({ path, condition: "ABSENCE" });
const presence = (...path: string[]): AttributeReference => ({ path, condition: "PRESENCE" });

describe("the signature of a bag", () => {
  it("is undefined for a bag that does not match the references", () => {
    const bag = { a: { b: "x" }, list: ["y"], nothing: null };
    assert.equal(signatureOf(bag, [exact("a", "c")]), undefined);
    assert.equal(signatureOf(bag, [absence("a", "b")]), undefined);
    assert.equal(signatureOf(bag, [presence("a", "b")]), undefined);
    assert.equal(signatureOf(bag, [presence("list")]), undefined);
    assert.equal(signatureOf(bag, [presence("nothing")]), undefined);
    assert.equal(signatureOf(bag, [presence("missing")]), undefined);
    assert.notEqual(signatureOf(bag, [exact("a", "b"), absence("a", "c"), presence("a")]), undefined);
  });

  it("does not take a path into an array for absent, since it goes on in each item", () => {
    const references = [absence("claims", "groups", "admin")];
    assert.notEqual(signatureOf({ claims: { groups: {} } }, references), undefined);
    assert.notEqual(signatureOf({ claims: { groups: "none" } }, references), undefined);
    assert.equal(signatureOf({ claims: { groups: [{ admin: "yes" }] } }, references), undefined);
    assert.equal(signatureOf({ claims: [{ groups: { admin: "yes" } }] }, references), undefined);
  });

  it("is the same for any bag without references", () => {
    assert.equal(signatureOf({ a: "1" }, []), signatureOf({}, []));
  });

  it("treats inherited and undefined properties as absent", () => {
    assert.notEqual(signatureOf({ a: {} }, [absence("a", "constructor")]), undefined);
    assert.notEqual(signatureOf({ a: undefined }, [absence("a")]), undefined);
  });

  it("differs for values that plain joining would confuse", () => {
    const references = [exact("a"), exact("b")];
    const texts = [
      { a: "1", b: "2" },
      { a: 1, b: "2" },
      { a: '1","2', b: "" },
      { a: "1,", b: "2" },
      { a: "null", b: "2" },
      { a: null, b: "2" },
      { a: true, b: "2" },
      { a: "true", b: "2" },
      { a: ["1", "2"], b: "2" },
      { a: ["1,2"], b: "2" },
      { a: { x: "1" }, b: "2" },
      { a: '{"x":"1"}', b: "2" },
      { a: Number.NaN, b: "2" },
      { a: "NaN", b: "2" },
      { a: "\ud800", b: "2" },
      { a: "\ud801", b: "2" },
      { a: {}, b: "2" },
      { a: [], b: "2" },
    ].map((bag) => signatureOf(bag, references));
    assert.equal(new Set(texts).size, texts.length);
  });

  it("is equal exactly when the values are equal, in any order of keys", () => {
    const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constantFrom<AttributeValue>("", "a", ",", '"', '","', "[]", 0, 1, 1.5, true, false, null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", '"', "a,b"), tie("value"), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
      ),
    })).value;
    const bags = fc.record({ a: value, b: value });
    const references = [exact("a"), exact("b")];
    fc.assert(
      fc.property(bags, bags, (left: AttributeBag, right: AttributeBag) => {
        const equal = references.every(({ path }) =>
          isDeepStrictEqual(valueAt(left, path), valueAt(right, path)),
        );
        assert.equal(signatureOf(left, references) === signatureOf(right, references), equal);
        assert.equal(signatureOf(left, references), signatureOf(reversed(left) as AttributeBag, references));
      }),
      { numRuns: 500 },
    );
  });
});

/** The same value with the keys of every object reversed. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
