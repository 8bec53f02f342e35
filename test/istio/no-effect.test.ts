// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";

const read = (path: string) => readFileSync(new URL(`samples/api/${path}.yaml`, import.meta.url), "utf8");

function load(text: string, strict: boolean) {
  const files = [parseDocuments({ path: "f", text })];
  const inventory = createInventory([]);
  const compile = createJsonataCompiler({}, () => 0);
  const built = buildSnapshot({
    files,
    version: "",
    builtIn: [builtInManifest()],
    compile,
    inventory,
    strict,
  });
  const diagnostics = built.ok ? built.warnings : built.diagnostics;
  return { ok: built.ok, texts: diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)) };
}

describe("parts of documents without effect", () => {
  for (const [path, expected] of [
    ["virtual-service/tcp-routes", /^f:10:\d+: warning: .*no Sidecar opens a listener of TCP.*NO_EFFECT\]$/m],
    ["sidecar/no-capture", /^f:15:\d+: warning: .*no traffic is captured.*NO_EFFECT\]$/m],
    [
      "authorization-policy/custom",
      /^f:10:\d+: warning: There is no Handler "my-custom-authz": .*UNRESOLVED\]$/m,
    ],
  ] as const)
    it(`warn with their place, and are errors with --strict: ${path}`, () => {
      const lenient = load(read(path), false);
      assert.equal(lenient.ok, true);
      assert.match(lenient.texts.join("\n"), expected);
      const strict = load(read(path), true);
      assert.equal(strict.ok, false);
      assert.match(strict.texts.join("\n"), new RegExp(expected.source.replace("warning", "error"), "m"));
    });
});
