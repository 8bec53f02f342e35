// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { processesOf } from "./program.ts";

/** Longest time of one run of commands, in milliseconds: npm may download. */
const RUN_MS = 120_000;
/** Time in which the shell's processes must end after SIGTERM, in milliseconds: a service may take its --drain of some seconds. */
const STOP_MS = 20_000;

export interface ShellRun {
  /** Exit code of the first command that failed; 0 when none did. */
  readonly code: number;
  /** Standard output, of the background too while the run lasts; standard error when that is empty. */
  readonly output: string;
}

/** A bash that keeps its variables, its folder and its background jobs from one run of commands to the next. */
export interface Shell {
  /**
   * Runs the commands one after another, whether or not they succeed.
   * @throws {Error} when they have not ended within two minutes.
   */
  run(commands: string): Promise<ShellRun>;
  /** Runs the commands until `stop`, as in a terminal of their own. */
  runInBackground(commands: string): Promise<void>;
  /** The end of the output of all runs, the last of those with the same commands, for messages about a failure. */
  recent(): string;
  /**
   * Ends the shell and whatever it has started with SIGTERM.
   * @throws {Error} when a process had to be killed after 20 seconds; it names the processes.
   */
  stop(): Promise<void>;
}

/**
 * Starts bash as a process group of its own. Its scripts and outputs are kept in `logs`, which may not exist yet.
 * @param program Starts the shell, by default bash; another may start it in a container that has both folders.
 */
export function startShell(
  folder: string,
  logs: string,
  environment: NodeJS.ProcessEnv = process.env,
  [program, ...args]: readonly [string, ...string[]] = ["bash", "--norc"],
): Shell {
  mkdirSync(logs, { recursive: true });
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...environment, NO_COLOR: "1" },
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // The shell may have ended before a line is written to it; a run notices that by its deadline or the exit code.
  child.stdin.on("error", () => undefined);
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  const group = child.pid;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-group, name);
    } catch {
      // The whole group has ended already.
    }
  };
  const kill = (): void => signal("SIGKILL");
  // A test that fails before `stop` leaves nothing behind either.
  process.once("exit", kill);
  let runs = 0;
  /** The files, without their endings, of the last run of the same commands, by the commands. */
  const names = new Map<string, string>();
  const script = (commands: string): string => {
    const name = join(logs, String(runs++));
    writeFileSync(`${name}.sh`, `${commands}\n`);
    for (const ending of ["out", "err"]) writeFileSync(`${name}.${ending}`, "");
    names.set(commands, name);
    return name;
  };
  const outputOf = (name: string): string =>
    readFileSync(`${name}.out`, "utf8") || readFileSync(`${name}.err`, "utf8");
  // Files instead of a pipe: a job in the background keeps a pipe open, but never delays the end of its run.
  const write = (line: string): void => void child.stdin.write(`${line}\n`);
  // ERR is trapped, with the first code kept, where `set -e` would end the shell.
  write("set -E; first_failure=0; trap 'failure=$?; [ $first_failure -ne 0 ] || first_failure=$failure' ERR");
  return {
    async run(commands) {
      const name = script(commands);
      write(`first_failure=0; . '${name}.sh' > '${name}.out' 2> '${name}.err' < /dev/null`);
      write(`echo $first_failure > '${name}.code.new'; mv '${name}.code.new' '${name}.code'`);
      const endMs = performance.now() + RUN_MS;
      while (!existsSync(`${name}.code`)) {
        if (performance.now() > endMs || child.exitCode !== null)
          throw new Error(`not done within ${RUN_MS} ms:\n${commands}\n${outputOf(name)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return {
        code: Number(readFileSync(`${name}.code`, "utf8")),
        output: outputOf(name),
      };
    },
    async runInBackground(commands) {
      const name = script(commands);
      write(`( trap - ERR; . '${name}.sh' ) > '${name}.out' 2> '${name}.err' < /dev/null &`);
    },
    recent: () =>
      [...names.values()]
        .flatMap((name) => [`${name}.out`, `${name}.err`])
        .map((file) => readFileSync(file, "utf8").slice(-1_000))
        .join("\n"),
    async stop() {
      child.stdin.end();
      signal("SIGTERM");
      try {
        await eventually(
          async () => {
            const left = processesOf(group);
            if (left.length > 0) throw new Error(`processes left behind: ${left.join()}`);
          },
          { deadlineMs: STOP_MS },
        );
      } finally {
        kill();
        process.removeListener("exit", kill);
      }
    },
  };
}
