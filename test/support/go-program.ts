// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { findProgram, isExecutable } from "../../bench/machine/find-program.ts";
import { type GoCommand, goCommandPath } from "../../bench/machine/go-command.ts";

/** Where Go's own installer puts it, which is on no user's PATH by default. */
const GO = "/usr/local/go/bin/go";

/** OPA with an empty build cache takes some five minutes on two busy cores. */
const BUILD_DEADLINE_MS = 900_000;

/**
 * The path of a command, built from the Go module proxy once and kept in ~/.cache/purser/go. When it cannot be built, skips the
 * running suite; with CI=true or REQUIRE_SERVICES=1 it fails instead. Call it with mocha's `this` from a `before` hook.
 */
export async function goProgram(context: Mocha.Context, command: GoCommand): Promise<string> {
  const { name, version } = command;
  const path = goCommandPath(command);
  if (isExecutable(path)) return path;
  context.timeout(BUILD_DEADLINE_MS + 60_000);
  const go = isExecutable(GO) ? GO : findProgram("go");
  if (go === undefined) return unavailable(context, `${name} ${version}: go is not on PATH and not at ${GO}`);
  console.warn(`      building ${name} ${version}, once: several minutes`);
  try {
    await build(go, command, dirname(path));
  } catch (error) {
    return unavailable(context, `${name} ${version} could not be built: ${(error as Error).message}`);
  }
  return path;
}

/** Builds beside the final folder, so that a build that was stopped leaves no half of a program there. */
async function build(go: string, { module, version }: GoCommand, folder: string): Promise<void> {
  const beside = `${folder}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    await promisify(execFile)(go, ["install", "-ldflags=-s -w", `${module}@${version}`], {
      cwd: dirname(folder),
      env: { ...process.env, GOBIN: beside, CGO_ENABLED: "0", GOFLAGS: "" },
      timeout: BUILD_DEADLINE_MS,
    });
    rmSync(folder, { recursive: true, force: true });
    renameSync(beside, folder);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function unavailable(context: Mocha.Context, reason: string): never {
  const { CI, REQUIRE_SERVICES } = process.env;
  if (CI === "true" || REQUIRE_SERVICES === "1") throw new Error(`a test needs ${reason}`);
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}
