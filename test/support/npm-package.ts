// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const INSTALL_DEADLINE_MS = 120_000;

/**
 * The folder of a server from npm, installed once, without its optional dependencies and scripts, into ~/.cache/purser/npm: it is no
 * dependency of Purser. When it cannot be installed, skips the running suite; with CI=true or REQUIRE_SERVICES=1 it fails instead. Call it
 * with mocha's `this` from a `before` hook.
 */
export async function npmPackage(context: Mocha.Context, name: string, version: string): Promise<string> {
  const folder = join(homedir(), ".cache", "purser", "npm", `${name}@${version}`);
  const installed = join(folder, "node_modules", name);
  if (existsSync(installed)) return installed;
  context.timeout(INSTALL_DEADLINE_MS + 10_000);
  // Installed beside its folder, so that an installation that was stopped leaves no half of a package there.
  const beside = `${folder}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    const flags = ["--no-save", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
    await promisify(execFile)("npm", ["install", "--prefix", beside, ...flags, `${name}@${version}`], {
      timeout: INSTALL_DEADLINE_MS,
    });
    rmSync(folder, { recursive: true, force: true });
    renameSync(beside, folder);
  } catch (error) {
    const reason = `${name} ${version} could not be installed by npm: ${(error as Error).message}`;
    const { CI, REQUIRE_SERVICES } = process.env;
    if (CI === "true" || REQUIRE_SERVICES === "1")
      throw new Error(`a test needs ${reason}`, { cause: error });
    console.warn(`      skipped: ${reason}`);
    return context.skip();
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return installed;
}
