// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { type JsonSchema, mapInner } from "./plain-schema.ts";
import { shareParts } from "./share-parts.ts";

/** Random schemas of few names and texts, so that parts repeat. */
const SCHEMAS = fc
  .letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.record({
        type: fc.constantFrom("string", "number"),
        description: fc.constantFrom("x", "y".repeat(90)),
      }),
      fc.record({
        type: fc.constant("object"),
        properties: fc.dictionary(fc.constantFrom("a", "b", "Kind", "a/b", "__proto__", ""), tie("schema"), {
          maxKeys: 3,
        }),
      }),
      fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
      fc.record({
        type: fc.constant("array"),
        items: tie("schema"),
        default: fc.constant({ $ref: "no schema" }),
      }),
    ),
  }))
  .schema.map((schema) => JSON.parse(JSON.stringify(schema)) as JsonSchema);

describe("shareParts", () => {
  it("gives the same schemas when the references are followed, and no part twice", () => {
    fc.assert(
      fc.property(SCHEMAS, SCHEMAS, (first, second) => {
        const shared = shareParts({ Kind: first, Other: second });
        const inlined = (part: JsonSchema): JsonSchema => {
          const reference = part["$ref"];
          if (typeof reference !== "string") return mapInner(part, inlined);
          return inlined(shared[reference.replace("#/$defs/", "")] ?? assert.fail(reference));
        };
        assert.deepEqual(inlined(shared["Kind"] as JsonSchema), first);
        assert.deepEqual(inlined(shared["Other"] as JsonSchema), second);
        const extracted = Object.entries(shared).filter(([name]) => name !== "Kind" && name !== "Other");
        const texts = extracted.map(([, part]) => JSON.stringify(part));
        assert.equal(new Set(texts).size, texts.length);
      }),
      { numRuns: 300 },
    );
  });
});
