// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { BUNDLED_ADAPTERS } from "../../adapters/inventory.ts";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import type { ParsedDocument, ParsedFile } from "../../core/documents/document.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { type Checked, formatDiagnostic } from "../../kernel/diagnostic.ts";

const REGISTRY = new URL("registry.yaml", import.meta.url);

/** One of our copies of Istio's samples, loaded with the small file of endpoints. */
export interface Sample {
  /** Below the folder of the samples. */
  readonly path: string;
  readonly kinds: readonly string[];
  /** Messages without their locations; empty when the sample loads. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Loads every sample as `purser run --skip-foreign` does, in order of their paths.
 *
 * @param folder Below test/istio, with a slash at the end.
 */
export function loadSamples(folder = "samples/"): readonly Sample[] {
  const samples = new URL(folder, import.meta.url);
  const paths = readdirSync(samples, { recursive: true, encoding: "utf8" });
  return paths
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".yaml"))
    .sort()
    .map((path) => loadSample(path, samples));
}

function loadSample(path: string, samples: URL): Sample {
  const text = readFileSync(new URL(path, samples), "utf8");
  const result = loadWithRegistry(path, text);
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  const messages = (severity: string) =>
    diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .map((diagnostic) => formatDiagnostic(diagnostic).replace(/^.*?: (error|warning): /, ""));
  return {
    path,
    kinds: [...new Set([...text.matchAll(/^ *kind: (\w+)/gm)].map(([, kind = ""]) => kind))],
    errors: messages("error"),
    warnings: messages("warning"),
  };
}

/** A snapshot of the text and of the documents of the registry that the text does not declare itself. */
export function loadWithRegistry(path: string, text: string): Checked<Snapshot> {
  const sample = parseDocuments({ path, text }, { skipForeign: true });
  const own = new Set(sample.documents.map(keyOf));
  const registry = parseDocuments({ path: "registry.yaml", text: readFileSync(REGISTRY, "utf8") });
  const rest: ParsedFile = {
    ...registry,
    documents: registry.documents.filter((document) => !own.has(keyOf(document))),
  };
  return buildSnapshot({
    files: [sample, rest],
    version: "",
    builtIn: [builtInManifest()],
    compile: createJsonataCompiler({}, () => performance.now()),
    inventory: createInventory(BUNDLED_ADAPTERS),
  });
}

function keyOf({ definition, metadata }: ParsedDocument): string {
  return JSON.stringify([definition.kind, metadata.namespace, metadata.name]);
}
