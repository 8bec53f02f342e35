// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";

/** Writes a generated file of the repository; with --check, fails when the committed file differs. */
export function writeOrCheck(path: string, text: string): void {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
    return;
  }
  if (committed(file) === text) return;
  process.stderr.write(`${path} is not up to date: run \`npm run generated\` and commit the changes\n`);
  process.exitCode = 1;
}

function committed(file: URL): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
