// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ParsedDocument, ParsedFile } from "../core/documents/document.ts";
import { ATTRIBUTE_MANIFEST } from "../core/documents/kinds/attribute-manifest.ts";
import { DEFAULT_NAMESPACE } from "../core/documents/kinds/kind.ts";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import { PurserError } from "../kernel/errors.ts";
import { BUILT_IN_ATTRIBUTES } from "./built-in-attributes.ts";

const MANIFEST = join("policies", "attribute-manifest.yaml");

/**
 * The manifest of the attributes that every set has. Its content is compiled in; the file is read when a diagnostic
 * needs a location in it.
 */
export function builtInManifest(): ParsedFile {
  let read: ParsedDocument | undefined;
  const document = (): ParsedDocument => (read ??= readManifest());
  return {
    path: MANIFEST,
    documents: [
      {
        definition: ATTRIBUTE_MANIFEST,
        metadata: { name: "built-in", namespace: DEFAULT_NAMESPACE, labels: {}, annotations: {} },
        spec: { attributes: BUILT_IN_ATTRIBUTES },
        valid: true,
        get location() {
          return document().location;
        },
        get places() {
          return document().places;
        },
      },
    ],
    diagnostics: [],
  };
}

/** @throws {PurserError} PURSER_DOC_UNREADABLE when the installation lacks the file. */
function readManifest(): ParsedDocument {
  const path = join(packageRoot(), MANIFEST);
  try {
    const [document] = parseDocuments({ path, text: readFileSync(path, "utf8") }).documents;
    if (document === undefined) throw new Error("it has no document");
    return document;
  } catch (cause) {
    throw new PurserError("PURSER_DOC_UNREADABLE", `${path} could not be read`, { cause });
  }
}

/**
 * The root folder of this package, found upwards from this file, whether it runs from the sources or from
 * dist/.
 */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isPackageRoot(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function isPackageRoot(folder: string): boolean {
  const file = join(folder, "package.json");
  return existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: unknown }).name === "purser";
}
