// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ParsedFile } from "../core/documents/document.ts";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import { PurserError } from "../kernel/errors.ts";

const MANIFEST = join("policies", "attribute-manifest.yaml");

/**
 * Reads the manifest of the attributes that every set has.
 *
 * @throws {PurserError} PURSER_DOC_UNREADABLE when the installation lacks the file.
 */
export function readBuiltInManifest(): ParsedFile {
  const path = join(packageRoot(), MANIFEST);
  try {
    return parseDocuments({ path, text: readFileSync(path, "utf8") });
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
