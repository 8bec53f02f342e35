// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { findProgram, SERVER_FOLDERS } from "../../bench/machine/find-program.ts";

/**
 * The path of a real server for tests. Without the program, skips the running test, or in a `before` hook the whole
 * suite; with REQUIRE_SERVICES=1 it fails instead, so that a build server cannot pass without running the test.
 * Call it with mocha's `this` from a `function`, not from an arrow function.
 */
export function requireService(context: Mocha.Context, name: string): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  const reason = `${name} not found on PATH or in ${SERVER_FOLDERS.join(", ")}`;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`REQUIRE_SERVICES=1, but ${reason}`);
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}
