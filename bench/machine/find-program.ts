// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Folders of server programs, which Debian leaves out of an ordinary user's PATH. */
export const SERVER_FOLDERS: readonly string[] = [
  "/usr/sbin",
  "/usr/local/sbin",
  "/sbin",
  "/usr/bin",
  "/usr/local/bin",
];

/** The program's path, or undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...SERVER_FOLDERS].map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
