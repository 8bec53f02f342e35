// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Program } from "./program.ts";

/** The program's standard error without the warnings about this Node.js, which its own code cannot prevent. */
export function complaintsOf(program: Pick<Program, "errors">): string {
  return program
    .errors()
    .split("\n")
    .filter((line) => !line.includes("this Node.js has a vulnerability"))
    .join("\n");
}
