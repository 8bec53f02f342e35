// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import Type from "typebox";
import { createJsonataCompiler } from "../expressions/jsonata-engine.ts";
import type { AdapterDefinition, ExtensionInventory, PluginDefinition } from "../hooks/extension.ts";
import { SecretField } from "../hooks/secrets.ts";
import { buildSnapshot } from "../snapshot/build-snapshot.ts";
import { parseDocuments } from "./parse-documents.ts";

// Each testdata/*.golden has documents, a line of dashes, and all faults that must be found in them, in
// order. UPDATE_GOLDEN=1 writes the actual faults; review the difference before committing it.

const FOLDER = new URL("testdata/", import.meta.url);
const RULER = `${"-".repeat(40)}\n`;

const adapter = (name: string, templates: AdapterDefinition["templates"], config = Type.Object({})) =>
  ({
    extension: "adapter",
    name,
    description: "",
    templates,
    config,
    build: () => ({ close() {} }),
  }) as const;

const lists: PluginDefinition = {
  extension: "plugin",
  name: "list",
  description: "",
  templates: ["listentry"],
  config: Type.Object(
    { entries: Type.Array(Type.String(), { minItems: 1 }), deny: Type.Boolean({ default: false }) },
    { additionalProperties: false },
  ),
  provides: { "list.found": { type: "BOOL" } },
  build: () => ({ apply() {}, close() {} }),
};

const webhook = Type.Object(
  { url: Type.String({ format: "uri" }), token: Type.Optional(SecretField({ description: "" })) },
  { additionalProperties: false },
);

const INVENTORY: ExtensionInventory = {
  adapters: new Map(
    [
      adapter("prometheus", ["metric"]),
      adapter("stdout", ["logentry", "metric"]),
      adapter("redis-quota", ["quota"]),
      adapter("webhook", ["logentry"], webhook),
    ].map((definition) => [definition.name, definition]),
  ),
  plugins: new Map([[lists.name, lists]]),
};

const MANIFEST = parseDocuments({
  path: "attribute-manifest.yaml",
  text: `
apiVersion: purser.dev/v1
kind: AttributeManifest
metadata: { name: built-in }
spec:
  attributes:
    request.method: { type: STRING }
    request.path: { type: STRING }
    request.headers: { type: STRING_MAP }
    destination.service.name: { type: STRING }
    response.code: { type: INT64, phase: response }
`,
});

const compile = createJsonataCompiler();

function faultsIn(text: string): readonly string[] {
  const file = parseDocuments({ path: "golden.yaml", text });
  const result = buildSnapshot({
    files: [file],
    version: "1",
    builtIn: [MANIFEST],
    compile,
    inventory: INVENTORY,
  });
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  return diagnostics.map(({ location, code, message, suggestion }) => {
    assert.equal(location.file, "golden.yaml");
    const hint = suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(suggestion)}?)`;
    return `${location.line}:${location.column} ${code} ${message}${hint}\n`;
  });
}

describe("the faults of documents", () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".golden"))) {
    it(`are all found with their locations in ${name}`, () => {
      const file = new URL(name, FOLDER);
      const [text, expected] = readFileSync(file, "utf8").split(RULER) as [string, string?];
      const found = faultsIn(text).join("");
      if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text + RULER + found);
      else assert.equal(found, expected);
    });
  }
});
