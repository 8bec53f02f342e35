// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { divideCores } from "../../bench/machine/cores.ts";
import { ROOT } from "../../bench/machine/repository.ts";
import { requireService } from "./services.ts";

/** Runs `node dist/bench/NAME.js` to its end; `npm test` builds first. */
export function runBench(
  name: "check" | "proxy" | "quota" | "telemetry",
  ...args: readonly string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, `dist/bench/${name}.js`), ...args], {
    encoding: "utf8",
    timeout: 120_000,
  });
}

/** Skips the running test when a program is missing or the process has one core alone. */
export function requireBench(context: Mocha.Context, ...programs: readonly string[]): void {
  for (const program of programs) requireService(context, program);
  try {
    divideCores();
  } catch (error) {
    console.warn(`      skipped: ${String(error)}`);
    context.skip();
  }
}

/** Names of the temporary folders of benches, which a bench removes at its end. */
export function benchFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) =>
    /^purser-(check-|quota-|telemetry-)?bench-(?!test)/.test(name),
  );
}
