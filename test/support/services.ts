// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { findProgram, SERVER_FOLDERS } from "../../bench/machine/find-program.ts";

/**
 * The path of a real server for tests. Without the program, skips the running test, or in a `before` hook the whole
 * suite; with REQUIRE_SERVICES=1 or CI=true it fails instead, so that a build server cannot pass without running the test.
 * Call it with mocha's `this` from a `function`, not from an arrow function.
 */
export function requireService(context: Mocha.Context, name: string): string {
  const path = findProgram(name);
  return path ?? skipOrFail(context, `${name} not found on PATH or in ${SERVER_FOLDERS.join(", ")}`);
}

/** Skips as `requireService` does, for this reason. */
export function skipOrFail(context: Mocha.Context, reason: string): never {
  const { env } = process;
  const demand = env["REQUIRE_SERVICES"] === "1" ? "REQUIRE_SERVICES=1" : "CI=true";
  if (env["REQUIRE_SERVICES"] === "1" || env["CI"] === "true") throw new Error(`${demand}, but ${reason}`);
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}
