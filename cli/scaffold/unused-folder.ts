// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { usage } from "./usage-error.ts";

/** Writes files, whose texts are by path, into a folder that `assertUnused` has passed. */
export function writeUnused(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    // Never over a file that appeared in the meantime.
    writeFileSync(file, text, { flag: "wx" });
  }
}

/** @throws PurserError PURSER_CLI_USAGE for a folder that has files or cannot be read. */
export function assertUnused(folder: string): void {
  let entries: readonly string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    const why = code === "ENOTDIR" ? "is a file" : `cannot be read (${code})`;
    throw usage(`${folder} ${why}: choose another name, or another working directory`);
  }
  if (entries.length > 0)
    throw usage(`the folder ${folder} is not empty: choose another name, or another working directory`);
}
