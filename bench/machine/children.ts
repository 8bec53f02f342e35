// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";

const STOP_DEADLINE_MS = 3_000;

/** A started program, pinned to a core: a process with its descendants, which are one process group. */
export interface Child {
  readonly pid: number;
  /** False once the process has ended. */
  isRunning(): boolean;
  /** Takes the processor from the whole group until `resume`. */
  suspend(): void;
  resume(): void;
  /** Ends the program, also while it is suspended. */
  stop(): Promise<void>;
}

/** All programs that the bench starts, so that none of them outlives it. */
export class Children {
  readonly #running = new Set<ChildProcess>();

  /** Starts a server. Both its outputs are appended to the file. */
  start(core: number, command: readonly string[], logFile: string): Child {
    const log = openSync(logFile, "a");
    const child = this.#spawn(core, command, ["ignore", log, log]);
    closeSync(log);
    return {
      pid: child.pid ?? 0,
      isRunning: () => this.#running.has(child),
      suspend: () => signalGroup(child, "SIGSTOP"),
      resume: () => signalGroup(child, "SIGCONT"),
      stop: () => this.#stop(child),
    };
  }

  /** Runs a program to its end and resolves with its standard output; rejects with its errors when it fails. */
  async output(core: number, command: readonly string[]): Promise<string> {
    const child = this.#spawn(core, command, ["ignore", "pipe", "pipe"]);
    const out: string[] = [];
    const errors: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`${command[0]} failed (${code}): ${errors.join("").trim()}`);
    return out.join("");
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#stop(child)));
  }

  /** Kills all at once, for a process that is about to end. */
  killAll(): void {
    for (const child of this.#running) signalGroup(child, "SIGKILL");
  }

  #spawn(core: number, command: readonly string[], stdio: ("ignore" | "pipe" | number)[]): ChildProcess {
    // taskset replaces itself by the program, so that the child's id is the program's own.
    // detached gives the program a process group of its own.
    const child = spawn("taskset", ["--cpu-list", String(core), ...command], { stdio, detached: true });
    this.#running.add(child);
    child.once("exit", () => {
      this.#running.delete(child);
      // nginx's workers outlive a master that is killed.
      signalGroup(child, "SIGKILL");
    });
    child.once("error", () => this.#running.delete(child));
    return child;
  }

  async #stop(child: ChildProcess): Promise<void> {
    if (!this.#running.has(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    // A suspended process gets SIGTERM only when it is resumed.
    signalGroup(child, "SIGCONT");
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** Sends the signal to the program and its descendants. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group ended by itself in the meantime.
  }
}
