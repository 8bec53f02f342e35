// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { ATTRIBUTE_TYPES, type AttributeType } from "../../expressions/manifest/manifest-spec.ts";
import { mergeManifests } from "../../expressions/manifest/manifest.ts";
import { refusalOf } from "./added-attributes.ts";

const circular: unknown[] = [];
circular.push(circular);

/** Values of each type, and values that it refuses. */
const VALUES: Readonly<Record<AttributeType, readonly [good: readonly unknown[], bad: readonly unknown[]]>> =
  {
    STRING: [
      ["", "a"],
      [1, null, ["a"], { a: "b" }, true, () => "a", Symbol("a"), 1n],
    ],
    INT64: [
      [0, -1, 2 ** 40],
      [0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null],
    ],
    DOUBLE: [
      [0, 0.5, 1e300],
      [Number.NaN, Number.POSITIVE_INFINITY, "1"],
    ],
    BOOL: [
      [true, false],
      ["true", 0, null],
    ],
    TIMESTAMP: [["2026-01-31T09:30:00.000Z"], [new Date(0), 0]],
    IP_ADDRESS: [["203.0.113.9"], [1]],
    EMAIL_ADDRESS: [["ada@example.com"], [1]],
    URI: [["https://example.com/"], [new URL("https://example.com/")]],
    DNS_NAME: [["example.com"], [1]],
    DURATION: [[12.5], ["12s", Number.NaN]],
    STRING_MAP: [
      [{}, { a: "b" }, Object.create(null)],
      [{ a: 1 }, ["a"], new Map(), null, "a"],
    ],
    STRING_LIST: [
      [[], ["a"]],
      [[1], "a", { 0: "a" }],
    ],
    ANY: [
      ["a", 1, true, { a: [null, { b: undefined }] }],
      [null, Number.NaN, () => 1, new Map(), { a: 1n }, circular],
    ],
  };

describe("an attribute that a plugin adds", () => {
  for (const type of ATTRIBUTE_TYPES) {
    it(`is refused when it is declared as ${type} and its value is not`, () => {
      const { manifest } = mergeManifests([{ attributes: { "request.a": { type } } }]);
      const [good, bad] = VALUES[type];
      for (const value of good) assert.equal(refusalOf(manifest, "request.a", value), undefined);
      for (const value of bad) {
        const refused = refusalOf(manifest, "request.a", value);
        assert.equal(refused?.reason, "type", typeof value);
        assert.match(refused.detail, new RegExp(`^request\\.a is declared as ${type}; got `));
      }
    });
  }

  const { manifest } = mergeManifests([
    { attributes: { "request.labels": { type: "STRING_MAP" }, "request.claims": { type: "ANY" } } },
  ]);

  it("may be a member of a declared map or of an ANY", () => {
    assert.equal(refusalOf(manifest, "request.labels.team", "a"), undefined);
    assert.equal(refusalOf(manifest, "request.labels.team", 1)?.reason, "type");
    assert.equal(refusalOf(manifest, "request.claims.a.b", { c: 1 }), undefined);
  });

  for (const name of ["request", "request.label", "", ".", "__proto__", "constructor.prototype", "ключ"]) {
    it(`is refused when its name is not declared: ${JSON.stringify(name)}`, () => {
      assert.equal(refusalOf(manifest, name, "a")?.reason, "undeclared");
    });
  }

  it("is named in at most 100 characters", () => {
    const refused = refusalOf(manifest, "x".repeat(1_000_000), "a");
    assert.equal(refused?.name.length, 100);
    assert.ok(refused.detail.length < 250);
  });
});
