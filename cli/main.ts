// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError } from "commander";
import { isPurserError } from "../kernel/errors.ts";
import { benchCommand } from "./commands/bench.ts";
import { CommandFailed } from "./commands/command-failed.ts";
import { completionCommand } from "./commands/completion.ts";
import { diffCommand } from "./commands/diff.ts";
import { explainCommand } from "./commands/explain.ts";
import { identityCommand } from "./commands/identity.ts";
import { importCommand } from "./commands/import.ts";
import { initCommand } from "./commands/init.ts";
import { mixerCommand } from "./commands/mixer.ts";
import { newCommand } from "./commands/new.ts";
import { pilotCommand } from "./commands/pilot.ts";
import { proxyCommand } from "./commands/proxy.ts";
import { quotasCommand } from "./commands/quotas.ts";
import { replayCommand } from "./commands/replay.ts";
import { runCommand } from "./commands/run.ts";
import { suggestLimitsCommand } from "./commands/suggest-limits.ts";
import { testCommand } from "./commands/test.ts";
import { validateCommand } from "./commands/validate.ts";
import { flagsOfPort } from "./output/port-flags.ts";
import { VERSION } from "./version.ts";
import { WORKER_ARGUMENT } from "./worker-argument.ts";

/**
 * Exit codes: 0 success; 1 the program failed or found a failure to report; 2 an error that the user can
 * correct (a flag, a port, a file, a document).
 */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Runs the command in `args`; resolves with the process's exit code. Never rejects. */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === WORKER_ARGUMENT) {
    const { runWorker } = await import("./actions/proxy-worker.ts");
    await runWorker();
    return EXIT.done;
  }
  return runProgram(purserCommand(), args);
}

/** The program with all of its commands, to be parsed once: commander keeps the flags of a run. */
export function purserCommand(): Command {
  return new Command("purser")
    .description("Policy and telemetry for service meshes.")
    .version(VERSION, "-V, --version")
    .addCommand(runCommand())
    .addCommand(mixerCommand())
    .addCommand(proxyCommand())
    .addCommand(pilotCommand())
    .addCommand(identityCommand())
    .addCommand(benchCommand())
    .addCommand(diffCommand())
    .addCommand(replayCommand())
    .addCommand(importCommand())
    .addCommand(suggestLimitsCommand())
    .addCommand(explainCommand())
    .addCommand(testCommand())
    .addCommand(quotasCommand())
    .addCommand(initCommand())
    .addCommand(newCommand())
    .addCommand(validateCommand())
    .addCommand(completionCommand());
}

/** Makes a command and its subcommands throw errors in place of ending the process. */
function reportErrorsOf(command: Command, path: string): void {
  command.exitOverride().showHelpAfterError(`(see ${path} --help)`);
  for (const child of command.commands) reportErrorsOf(child, `${path} ${child.name()}`);
}

/** Parses and runs a command; every error becomes one message on standard error and an exit code. */
export async function runProgram(program: Command, args: readonly string[]): Promise<number> {
  reportErrorsOf(program, program.name());
  let running: Command | undefined;
  program.hook("preAction", (_, command) => {
    running = command;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    // Commander has already printed the error, or the requested help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (isPurserError(error)) {
      const flags = running === undefined ? "" : flagsOfPort(running, error);
      // Faults in documents begin with their location, which editors and terminals link.
      const who = error.code === "PURSER_CONFIG_REJECTED" ? "" : "purser: ";
      process.stderr.write(`${who}${error.message}${flags} [${error.code}]\n`);
      return EXIT.usage;
    }
    if (error instanceof CommandFailed) {
      if (error.message !== "") process.stderr.write(`${error.message}\n`);
      return EXIT.failed;
    }
    process.stderr.write(
      `purser: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.failed;
  }
}
