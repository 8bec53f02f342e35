// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { documentsOf, type ParsedDocument } from "../../core/documents/document.ts";
import { POLICY_TEST } from "../../core/documents/kinds/policy-test.ts";
import { type ParseOptions, parseDocuments } from "../../core/documents/parse-documents.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { ConfigRejected } from "../../config/config-rejected.ts";

/** Bounds on the files read, and on the depth of folders. */
const MOST_FILES = 20_000;
const DEEPEST = 20;

const YAML_FILE = /\.ya?ml$/i;
/**
 * Fast path: skips parsing of files without a PolicyTest, which are most. The kind may be a field of JSON or of an item of a
 * List, and have a tag or an anchor.
 */
const MENTIONS_TEST = new RegExp(
  `\\bkind["']?\\s*:\\s*(?:[!&]\\S*\\s+)*["']?${POLICY_TEST.kind}(?:List)?\\b`,
);

/**
 * Finds the PolicyTest documents in files and, recursively, in folders; skips files and folders named
 * `node_modules` or with a leading dot.
 *
 * @throws {PurserError} when a path cannot be read, or a file with tests has faults.
 */
export async function findTests(
  paths: readonly string[],
  options: ParseOptions = {},
): Promise<readonly ParsedDocument[]> {
  const files: string[] = [];
  for (const path of paths) await collectFiles(path, 0, files);
  const found = [];
  for (const path of new Set(files)) {
    const text = await readable(path, () => readFile(path, "utf8"));
    if (MENTIONS_TEST.test(text)) found.push(parseDocuments({ path, text }, options));
  }
  const faults = found.flatMap(({ diagnostics }) => diagnostics);
  if (faults.some(({ severity }) => severity === "error")) throw new ConfigRejected(faults);
  return found.flatMap(({ documents }) => documentsOf(documents, POLICY_TEST));
}

async function collectFiles(path: string, depth: number, into: string[]): Promise<void> {
  const found = await readable(path, () => stat(path));
  if (!found.isDirectory()) {
    if (depth === 0 || YAML_FILE.test(path)) into.push(path);
    if (into.length > MOST_FILES)
      throw new PurserError(
        "PURSER_CLI_USAGE",
        `there are more than ${MOST_FILES} files: name fewer folders`,
      );
    return;
  }
  if (depth > DEEPEST) return;
  const entries = await readable(path, () => readdir(path));
  for (const entry of entries.sort()) {
    const skipped = entry.startsWith(".") || entry === "node_modules";
    if (!skipped) await collectFiles(join(path, entry), depth + 1, into);
  }
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const message = `${path} could not be read: ${messageOf(cause)}`;
    throw new PurserError("PURSER_DOC_UNREADABLE", message, { cause });
  }
}
