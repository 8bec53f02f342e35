// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createProgress, type Progress } from "../tools/progress.ts";
import type { CommonFlags } from "./flags.ts";
import { Children } from "./machine/children.ts";
import { type Cores, divideCores } from "./machine/cores.ts";
import { findProgram, isExecutable } from "./machine/find-program.ts";

/** A bench of programs under load, as a command. */
export interface BenchCommand<Flags extends CommonFlags, Report> {
  /** The script in package.json. */
  readonly script: string;
  readonly help: string;
  /** Programs that it cannot do without. */
  programs(flags: Flags): readonly string[];
  /** Throws an Error whose message names the wrong option. */
  parseFlags(args: readonly string[]): Flags;
  /** Everything that it starts is in `children`, also when it fails. */
  measure(
    options: Flags & { readonly cores: Cores },
    children: Children,
    progress: Progress,
  ): Promise<Report>;
  tableOf(report: Report): string;
  isMissed(report: Report): boolean;
}

/** Debian's packages of the programs whose package has another name. */
const PACKAGES: Readonly<Record<string, string>> = { taskset: "util-linux", h2load: "nghttp2-client" };

const EXIT = { missed: 1, usage: 2, interrupted: 130 };

/** Runs the bench with the process's arguments. Sets the exit code, or ends the process for wrong usage. */
export async function runCommand<Flags extends CommonFlags, Report>(
  bench: BenchCommand<Flags, Report>,
): Promise<void> {
  const ready = prepare(bench);
  if (ready === undefined) return void process.stdout.write(bench.help);
  const children = new Children();
  const progress = createProgress();
  process.once("exit", () => children.killAll());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(EXIT.interrupted));
  try {
    const report = await bench.measure(ready, children, progress);
    progress.done();
    process.stdout.write(ready.json ? `${JSON.stringify(report)}\n` : bench.tableOf(report));
    if (bench.isMissed(report)) process.exitCode = EXIT.missed;
  } catch (error) {
    progress.done();
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = EXIT.missed;
  }
}

/** The options of the run; undefined when only help is wanted. */
function prepare<Flags extends CommonFlags, Report>(
  bench: BenchCommand<Flags, Report>,
): (Flags & { readonly cores: Cores }) | undefined {
  try {
    const flags = bench.parseFlags(process.argv.slice(2));
    return flags.help
      ? undefined
      : { ...flags, cores: requirements(bench.script, bench.programs(flags), flags) };
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nSee npm run ${bench.script} -- --help\n`);
    process.exit(EXIT.usage);
  }
}

/** Checks for everything that no run can do without. */
function requirements(script: string, programs: readonly string[], { node }: CommonFlags): Cores {
  if (process.platform !== "linux")
    throw new Error(`${script} needs Linux: it pins processes to cores and reads /proc`);
  const missing = ["taskset", ...programs].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0)
    throw new Error(
      `not on PATH: ${missing.join(", ")} (apt-get install ${missing.map((name) => PACKAGES[name] ?? name).join(" ")})`,
    );
  if (!isExecutable(node)) throw new Error(`--node: ${node} is not an executable file`);
  return divideCores();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
