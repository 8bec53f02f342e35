// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Longest time of one run of commands, in milliseconds. */
const RUN_MS = 30_000;
const STOP_MS = 5_000;

/** A shell that keeps its variables and its background jobs from one run of commands to the next. */
export interface Shell {
  /**
   * Runs the commands, and resolves with the code of the last of them and with the standard output of the commands in the
   * foreground and the background.
   * @throws {Error} after 30 seconds.
   */
  run(commands: string): Promise<{ readonly code: number; readonly output: string }>;
  /** The latest standard error of everything that the shell ran, 8,000 characters at most. */
  errors(): string;
  /** Ends the shell, and whatever it has started. */
  stop(): Promise<void>;
}

/** Starts bash in the folder, as a process group of its own. */
export function startShell(folder: string, path: string): Shell {
  const child = spawn("bash", ["--norc"], {
    cwd: folder,
    env: { ...process.env, PATH: path, NO_COLOR: "1" },
    stdio: ["pipe", "ignore", "pipe"],
    detached: true,
  });
  const group = -(child.pid ?? 0);
  const kill = (): void => {
    try {
      process.kill(group, "SIGKILL");
    } catch {
      // The group has ended already.
    }
  };
  // A test that fails before `stop` leaves nothing behind either.
  process.once("exit", kill);
  const exited = once(child, "exit");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-8_000)));
  let runs = 0;
  return {
    errors: () => errors,
    async run(commands) {
      // Files instead of a pipe: a job in the background keeps a pipe open, but never delays the end of its run.
      const name = join(folder, `.run-${runs++}`);
      writeFileSync(`${name}.sh`, commands);
      child.stdin.write(
        `. '${name}.sh' > '${name}.out'\necho $? > '${name}.code.new'; mv '${name}.code.new' '${name}.code'\n`,
      );
      const endMs = performance.now() + RUN_MS;
      while (!existsSync(`${name}.code`)) {
        if (performance.now() > endMs)
          throw new Error(`not done within ${RUN_MS} ms:\n${commands}\n${errors}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const code = Number(readFileSync(`${name}.code`, "utf8"));
      const output = readFileSync(`${name}.out`, "utf8");
      rmSync(`${name}.sh`);
      return { code, output };
    },
    async stop() {
      child.stdin.end("kill $(jobs -p)\nexit\n");
      const timer = setTimeout(kill, STOP_MS);
      await exited;
      clearTimeout(timer);
      kill();
      process.removeListener("exit", kill);
    },
  };
}
