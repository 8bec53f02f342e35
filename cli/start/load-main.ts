// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { main } from "../main.ts";
import { WORKER_ARGUMENT } from "../worker-argument.ts";
import { loadBundle } from "./bundle.ts";
import { keepCompiledModules } from "./compile-cache.ts";

/** The commands whose process serves requests until it is stopped. */
const SERVICES: readonly (string | undefined)[] = ["run", "mixer", "proxy", "pilot", WORKER_ARGUMENT];

/**
 * Loads the program: from the bundle that `npm run build` makes, or else from its modules.
 *
 * The bundle starts several times faster. A bundle that is older than the compiled modules is ignored, so that
 * `tsc -b` alone is enough while Purser itself is changed.
 */
export async function loadMain(args: readonly string[]): Promise<typeof main> {
  // The sources and the build have different depths: only the build has a bundle, in the folder dist/.
  const dist = fileURLToPath(new URL("../../", import.meta.url));
  if (!needsNoServices(args) && isFresh(dist)) return loadBundle(dist, { isService: isService(args) }).main;
  if (!needsNoServices(args)) keepCompiledModules();
  return (await import("../main.ts")).main;
}

/** Whether the program only prints its version or help, for which some 40 small modules load faster than the bundle. */
function needsNoServices(args: readonly string[]): boolean {
  const [command = "--help"] = args;
  return command.startsWith("-") || command === "help";
}

function isService([command]: readonly string[]): boolean {
  return SERVICES.includes(command);
}

/** Whether the bundle exists and no project was compiled after it was made. */
function isFresh(dist: string): boolean {
  try {
    const madeMs = statSync(`${dist}purser.cjs`).mtimeMs;
    const compiled = `${dist}.tsbuildinfo/`;
    return readdirSync(compiled).every((file) => statSync(compiled + file).mtimeMs <= madeMs);
  } catch {
    return false;
  }
}
