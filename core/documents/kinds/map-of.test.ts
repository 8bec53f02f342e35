// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Type from "typebox";
import Value from "typebox/value";
import { MapOf } from "./map-of.ts";

describe("the schema of a map", () => {
  it("checks the values under keys of every form", () => {
    const schema = MapOf(Type.Number(), { description: "Numbers.", maxProperties: 2 });
    for (const key of ["", "a", "a\nb", "\n", "\r\n", "\u2028", "\ud800", "__proto__x"]) {
      assert.equal(Value.Check(schema, { [key]: 1 }), true, JSON.stringify(key));
      assert.equal(Value.Check(schema, { [key]: "1" }), false, JSON.stringify(key));
    }
    assert.equal(Value.Check(schema, { a: 1, b: 2, c: 3 }), false);
    assert.equal(Object.entries(schema).find(([key]) => key === "description")?.[1], "Numbers.");
  });
});
