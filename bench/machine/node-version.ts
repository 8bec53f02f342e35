// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";

/** The version of a Node.js by its path, as `v20.19.0`. */
export function nodeVersion(node: string): string {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
}
