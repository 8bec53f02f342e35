// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import { KINDS } from "../catalog.ts";
import { readYaml } from "../yaml/read-yaml.ts";
import { jsonSchemas } from "./json-schema.ts";

describe("the JSON Schema files", () => {
  const files = jsonSchemas();

  it("are plain JSON, one for each kind and one for all kinds", () => {
    assert.equal(files.size, KINDS.length + 1);
    for (const schema of files.values()) assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
    const { oneOf } = files.get("purser.schema.json") as { oneOf: readonly { $ref: string }[] };
    for (const { $ref } of oneOf) assert.ok(files.has($ref), $ref);
  });

  it("accept the demo mesh's documents, each by only its own kind's file", () => {
    const folder = new URL("../../../examples/bookshop/mesh/", import.meta.url);
    const documents = readdirSync(folder)
      .filter((name) => name.endsWith(".yaml"))
      .flatMap(
        (name) => readYaml({ path: name, text: readFileSync(new URL(name, folder), "utf8") }).documents,
      );
    assert.ok(documents.length > 0);
    for (const { value } of documents) {
      const accepting = [...files].filter(
        ([name, schema]) =>
          name !== "purser.schema.json" && (Value.Check(schema as TSchema, value) as boolean),
      );
      const { kind } = value as { kind: string };
      assert.deepEqual(
        accepting.map(([, schema]) => schema["title"]),
        [kind],
      );
    }
  });
});
