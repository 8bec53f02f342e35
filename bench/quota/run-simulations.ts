// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../../kernel/errors.ts";
import { createProgress } from "../../tools/progress.ts";
import type { SimulationFlags } from "./simulation-flags.ts";
import { isBrokenAnywhere, measureSimulations, simulationsText, writeFiles } from "./simulations.ts";

/** Runs the simulations as a command, and sets the exit code: 1 when a promise is broken or the bench failed. */
export async function runSimulations(flags: SimulationFlags): Promise<void> {
  const progress = createProgress();
  try {
    const report = await measureSimulations(flags, progress);
    progress.done();
    writeFiles(report, flags);
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : simulationsText(report));
    if (isBrokenAnywhere(report)) process.exitCode = 1;
  } catch (error) {
    progress.done();
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
