// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;

/** A built program of this project in a process of its own. */
export interface Program {
  readonly pid: number;
  /** All standard output, and all standard error, so far. */
  output(): string;
  errors(): string;
  /**
   * Resolves with the first match in standard output; rejects when the program ends first, or at the
   * deadline.
   */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends the signal and waits for the exit; kills the program when it has not ended within 5 s. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly tookMs: number }>;
  /** Resolves with the exit code. */
  ended(): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
}

/** Runs `node dist/SCRIPT`; `npm test` builds first. */
export function runProgram(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd = ROOT,
): Program {
  const file = `${ROOT}dist/${script}`;
  if (!existsSync(file)) throw new Error(`dist/${script} is not there: run npm run build`);
  const child = spawn(process.execPath, ["--trace-warnings", file, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return follow(child);
}

/** Runs `npm start`; signals are sent to npm itself. `stop` waits for all of its processes, see `runGroup`. */
export function npmStart(): Program {
  return runGroup("npm", ["start"]);
}

/**
 * Runs a command as a process group of its own. `stop` waits until the whole group has ended, so that its ports are free; it
 * rejects when a process is left behind after the deadline, and kills it.
 */
export function runGroup(command: string, args: readonly string[]): Program {
  const leader = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const group = leader.pid ?? -1;
  const kill = (): void => {
    for (const pid of processesOf(group)) process.kill(pid, "SIGKILL");
  };
  // A test that fails before `stop` leaves nothing behind either.
  process.once("exit", kill);
  const program = follow(leader);
  return {
    ...program,
    async stop(signal) {
      const end = await program.stop(signal);
      const deadlineMs = performance.now() + STOP_DEADLINE_MS;
      while (processesOf(group).length > 0 && performance.now() < deadlineMs)
        await new Promise((resolve) => setTimeout(resolve, 20));
      process.removeListener("exit", kill);
      const left = processesOf(group);
      kill();
      if (left.length > 0) throw new Error(`${command} left processes behind: ${left.join()}`);
      return end;
    },
  };
}

/** The live processes of a group, by Linux's /proc; none on other systems. A zombie has ended. */
export function processesOf(group: number): readonly number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      let stat = "";
      try {
        stat = readFileSync(`/proc/${name}/stat`, "utf8");
      } catch {
        return [];
      }
      // The second field, a name in brackets, may have spaces: proc(5).
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(pgrp) === group && state !== "Z" ? [Number(name)] : [];
    });
}

/** Runs the purser command. */
export function purser(...args: readonly string[]): Program {
  return runProgram("cli/purser.js", args);
}

/** Runs the purser command with `folder` as the present folder. */
export function purserIn(folder: string, ...args: readonly string[]): Program {
  return runProgram("cli/purser.js", args, {}, folder);
}

function follow(child: ChildProcess): Program {
  let output = "";
  let errors = "";
  const exited = once(child, "exit").then(([code]) => code as number | null);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return {
    pid: child.pid ?? -1,
    output: () => output,
    errors: () => errors,
    async until(pattern) {
      const endMs = performance.now() + START_DEADLINE_MS;
      while (performance.now() < endMs) {
        const match = output.match(pattern);
        if (match !== null) return match;
        if (child.exitCode !== null || child.signalCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`no ${pattern} in the program's output:\n${output}\n${errors}`);
    },
    async stop(signal = "SIGINT") {
      const startMs = performance.now();
      const killer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const code = await exited;
      clearTimeout(killer);
      return { code, tookMs: performance.now() - startMs };
    },
    ended: () => exited,
    signal: (signal) => void child.kill(signal),
  };
}
