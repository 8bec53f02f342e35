// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createProgress } from "../tools/progress.ts";
import { measure } from "./check/measure.ts";
import { type Flags, HELP, parseFlags } from "./check/options.ts";
import { reportOf, tableOf } from "./check/report.ts";
import { Children } from "./proxy/machine/children.ts";
import { type Cores, divideCores } from "./proxy/machine/cores.ts";
import { findProgram, isExecutable } from "./proxy/machine/find-program.ts";

const EXIT = { missed: 1, usage: 2, interrupted: 130 };

const flags = usage(() => parseFlags(process.argv.slice(2)));
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
await run(
  flags,
  usage(() => requirements(flags)),
);

async function run(given: Flags, cores: Cores): Promise<void> {
  const children = new Children();
  const progress = createProgress();
  process.once("exit", () => children.killAll());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(EXIT.interrupted));
  try {
    const options = { ...given, cores };
    const report = reportOf(await measure(options, children, progress), options);
    progress.done();
    process.stdout.write(given.json ? `${JSON.stringify(report)}\n` : tableOf(report));
    if (report.bars.some(({ met }) => met !== true)) process.exitCode = EXIT.missed;
  } catch (error) {
    progress.done();
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.missed;
  }
}

/** Checks what no run can do without. */
function requirements({ node }: Flags): Cores {
  if (process.platform !== "linux")
    throw new Error("bench:check needs Linux: it pins processes to cores and reads /proc");
  const missing = ["taskset", "wrk"].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0)
    throw new Error(`not on PATH: ${missing.join(", ")} (apt-get install util-linux wrk)`);
  if (!isExecutable(node)) throw new Error(`--node: ${node} is not an executable file`);
  return divideCores();
}

/** Ends the process with the code for wrong usage when the step fails. */
function usage<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nSee npm run bench:check -- --help\n`,
    );
    process.exit(EXIT.usage);
  }
}
