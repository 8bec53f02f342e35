// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { canonicalText } from "../../expressions/data.ts";
import { type AttributeBag, type AttributeValue, valueAt } from "./bag.ts";
import { isReadAt, repeatedFields } from "./repeated.ts";
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

describe("the signature of a bag with a request's attributes", () => {
  const text = fc.constantFrom("", "a", "1:a", "=1,", "0", "GET", "/x", "é", "\ud800", "a, b");
  const value = fc.oneof(
    { weight: 5, arbitrary: text },
    fc.constantFrom<AttributeValue>(null, true, 0, -0, 1.5, Number.NaN, [], ["a"], {}, { a: "b" }),
  );
  const optional = (what: fc.Arbitrary<AttributeValue>) => fc.option(what, { nil: undefined });
  const fields = fc.record({
    "x-a": optional(text),
    constructor: optional(text),
    "user-agent": optional(text),
  });
  const lists = fc.record({ "x-a": fc.constantFrom(["a", "b"], ["a, b"], ["b", "a"]) });
  const rare = fc.constantFrom<AttributeValue | undefined>(undefined, null, "text", [], [{ headers: [{}] }]);
  const mostly = (arbitrary: fc.Arbitrary<AttributeValue>) =>
    fc.oneof({ weight: 8, arbitrary }, { weight: 1, arbitrary: rare as fc.Arbitrary<AttributeValue> });
  const asValue = (arbitrary: fc.Arbitrary<unknown>) => arbitrary as fc.Arbitrary<AttributeValue>;
  const bags: fc.Arbitrary<AttributeBag> = fc.record({
    request: mostly(
      asValue(
        fc.record({
          method: optional(value),
          headers: mostly(asValue(fields)),
          repeated_headers: optional(asValue(lists)),
          query_params: optional(asValue(fields)),
          repeated_query_params: optional(asValue(lists)),
          useragent: optional(text),
        }),
      ),
    ),
    source: mostly(asValue(fc.record({ ip: optional(value) }))),
    destination: mostly(
      asValue(fc.record({ service: mostly(asValue(fc.record({ name: optional(value) }))) })),
    ),
  }) as fc.Arbitrary<AttributeBag>;
  const paths = [
    ["request", "headers", "x-a"],
    ["request", "headers", "constructor"],
    ["request", "headers", "toString"],
    ["request", "headers"],
    ["request", "query_params", "x-a"],
    ["request", "method"],
    ["request", "useragent"],
    ["request"],
    ["source", "ip"],
    ["source", "ip", "a", "b"],
    ["destination", "service", "name"],
  ];
  const reference = fc.record({
    path: fc.constantFrom(...paths),
    condition: fc.constantFrom("EXACT", "EXACT", "ABSENCE", "PRESENCE"),
  }) as fc.Arbitrary<AttributeReference>;

  it("agrees with the canonical texts of the values, whatever is absent, repeated or of another type", () => {
    const one = fc.array(reference, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(one, fc.array(bags, { minLength: 2, maxLength: 8 }), (references, all) => {
        const texts = all.map((bag) => signatureOf(bag, references));
        const expected = all.map((bag) => canonicalSignature(bag, references));
        for (const [index, text] of texts.entries()) {
          assert.equal(text === undefined, expected[index] === undefined);
          for (const [other, otherText] of texts.entries())
            assert.equal(text === otherText, expected[index] === expected[other]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** A plain form of the signature, which the prepared one must agree with. */
function canonicalSignature(
  bag: AttributeBag,
  references: readonly AttributeReference[],
): string | undefined {
  const parts: string[] = [];
  for (const reference of references) {
    const { path, condition } = reference;
    const found = valueAt(bag, path);
    if (condition === "ABSENCE") {
      if (found !== undefined || meetsArray(bag, path)) return undefined;
    } else if (condition === "PRESENCE") {
      if (typeof found !== "object" || found === null || Array.isArray(found)) return undefined;
    } else {
      if (found === undefined) return undefined;
      parts.push(canonicalText(found));
      for (const field of repeatedFields(bag))
        if (isReadAt(reference, field)) parts.push(canonicalText([field.group, field.name, ...field.values]));
    }
  }
  return parts.map((part) => JSON.stringify(part)).join();
}

function meetsArray(bag: AttributeBag, path: readonly string[]): boolean {
  return path.some((_, index) => Array.isArray(valueAt(bag, path.slice(0, index))));
}

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
