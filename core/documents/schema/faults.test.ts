// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import Type, { type TSchema } from "typebox";
import Value from "typebox/value";
import { schemaFaults } from "./faults.ts";

const messages = (schema: TSchema, value: unknown) =>
  schemaFaults(schema, value, ["config"]).map(({ message }) => message);

describe("the faults of a value against a schema", () => {
  it("are all found, in any number", () => {
    const schema = Type.Array(Type.Integer());
    assert.equal(messages(schema, Array(50).fill("x")).length, 50);
  });

  it("are those of the alternative that the value's type selects", () => {
    const schema = Type.Union([
      Type.String(),
      Type.Object({ from: Type.String(), to: Type.Integer() }, { additionalProperties: false }),
      Type.Object({ file: Type.String() }, { additionalProperties: false }),
    ]);
    assert.deepEqual(messages(schema, { from: "a", to: "b" }), ['config.to must be a whole number, not "b"']);
    assert.deepEqual(messages(schema, 5), ["config must be text or a map, not 5"]);
  });

  it("have TypeBox's words where this module has none", () => {
    const schema = Type.Intersect([Type.Object({ a: Type.Number() }), Type.Object({ b: Type.Number() })]);
    assert.equal(messages(schema, { a: 1 }).length, 1);
    assert.deepEqual(messages(Type.Object({}, { minProperties: 1 }), {}), [
      "config must not have fewer than 1 properties",
    ]);
  });

  it("are none exactly when TypeBox accepts the value", () => {
    const schema = Type.Object(
      {
        a: Type.Optional(
          Type.Union([
            Type.String({ minLength: 1 }),
            Type.Number(),
            Type.Record(Type.String(), Type.Boolean()),
          ]),
        ),
        b: Type.Array(Type.Object({ c: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }), {
          minItems: 1,
        }),
      },
      { additionalProperties: false },
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("", "x", 1, -1, 1.5, true, null),
        fc.array(tie("any"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("any"), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (each) => {
        assert.equal(schemaFaults(schema, each, []).length === 0, Value.Check(schema, each));
      }),
    );
  });
});
