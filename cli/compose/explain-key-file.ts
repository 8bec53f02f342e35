// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import { createExplainKey, type ExplainKey } from "../../proxy/filters/explain-key.ts";

/** Shorter keys can be guessed. */
const SHORTEST_KEY = 16;

/** @throws {PurserError} PURSER_CLI_USAGE when the file has no valid key. */
export async function readExplainKey(file: string | undefined): Promise<ExplainKey | undefined> {
  if (file === undefined) return undefined;
  let key: string;
  try {
    key = (await readFile(file, "utf8")).trim();
  } catch (cause) {
    const message = `--explain-key-file ${file} cannot be read: ${messageOf(cause)}`;
    throw new PurserError("PURSER_CLI_USAGE", message, { cause });
  }
  if (key.length < SHORTEST_KEY || /[^!-~]/.test(key))
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `the key in ${file} must be at least ${SHORTEST_KEY} characters of printable ASCII without spaces`,
    );
  return createExplainKey(key);
}
