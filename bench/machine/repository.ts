// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository, whether this file runs compiled (below `dist/`) or as source. */
export const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : rootAbove(dirname(folder));
}

/** The path of a compiled program of a bench's `programs/`. */
export function program(name: string, bench: "proxy" | "check" | "quota" | "telemetry" = "proxy"): string {
  return join(ROOT, "dist/bench", bench, "programs", `${name}.js`);
}

/** The folder in which downloaded peers are kept between runs. */
export const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "purser-bench");
