// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { main } from "../main.ts";
import { loadBundle } from "./bundle.ts";

/**
 * Loads the program: from the bundle that `npm run build` makes, or else from its modules.
 *
 * The bundle starts several times faster. A bundle that is older than the compiled modules is ignored, so that
 * `tsc -b` alone is enough while Purser itself is changed.
 */
export async function loadMain(): Promise<typeof main> {
  // The sources and the build have different depths: only the build has a bundle, in the folder dist/.
  const dist = fileURLToPath(new URL("../../", import.meta.url));
  if (isFresh(dist)) return loadBundle(dist).main;
  return (await import("../main.ts")).main;
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
