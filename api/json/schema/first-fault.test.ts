// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import Type from "typebox";
import Value from "typebox/value";
import { firstFault } from "./first-fault.ts";

const closed = { additionalProperties: false } as const;
const SCHEMA = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 8 }),
    list: Type.Array(
      Type.Object({ count: Type.Integer({ minimum: 0 }), flag: Type.Optional(Type.Boolean()) }, closed),
      { maxItems: 3 },
    ),
    bag: Type.Optional(Type.Unsafe<object>({ type: "object" })),
  },
  closed,
);

describe("the first fault of a body", () => {
  it("exists exactly when the body is invalid", () => {
    const scalar = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.string({ maxLength: 9 }),
      fc.boolean(),
      fc.constant(null),
    );
    const item = fc.record(
      { count: fc.oneof(fc.nat(3), scalar), flag: fc.oneof(fc.boolean(), scalar), more: scalar },
      { requiredKeys: [] },
    );
    const body = fc.record(
      {
        name: fc.oneof(fc.constant("a"), scalar),
        list: fc.oneof(fc.array(item, { maxLength: 5 }), fc.constant([{ count: 1 }]), item),
        bag: fc.oneof(fc.constant({}), fc.constant([]), scalar),
        __proto__: scalar,
        constructor: scalar,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
        assert.equal(
          firstFault(SCHEMA, value) === undefined,
          Value.Check(SCHEMA, value),
          JSON.stringify(value),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("has the path of the value", () => {
    const cases: readonly [unknown, string][] = [
      [1, "the body must be object"],
      [{ list: [] }, "the body must have the property name"],
      [{ name: "a", list: [], nmae: 1 }, "the body must not have the property nmae"],
      [{ name: "", list: [] }, "name must not have fewer than 1 characters"],
      [{ name: "a", list: [{ count: 1 }, { count: -1 }] }, "list[1].count must be >= 0"],
      [{ name: "a", list: [{ count: 1 }, {}] }, "list[1] must have the property count"],
      [{ name: "a", list: [1, 1, 1, 1] }, "list must not have more than 3 items, and has 4"],
      [{ name: "a", list: [], bag: [] }, "bag must be object"],
    ];
    for (const [value, message] of cases) assert.equal(firstFault(SCHEMA, value), message);
  });

  it("ends the check: neither later values nor the items of an overlong list are visited", () => {
    const untouched = Object.defineProperty({}, "count", {
      enumerable: true,
      get: () => assert.fail("looked at an item behind the first fault"),
    });
    assert.match(firstFault(SCHEMA, { name: "a", list: [{ count: -1 }, untouched] }) ?? "", /^list\[0\]/);
    const tooLong = { name: "a", list: [untouched, untouched, untouched, untouched] };
    assert.match(firstFault(SCHEMA, tooLong) ?? "", /^list must not/);
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]));
    assert.ok((firstFault(SCHEMA, { name: "a", list: [], ...many }) ?? "").length < 200);
    assert.ok((firstFault(SCHEMA, { name: "a", list: [], ["x".repeat(100_000)]: 1 }) ?? "").length < 200);
  });
});
