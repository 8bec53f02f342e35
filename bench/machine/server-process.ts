// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** A server program, and the sign that it is ready. */
export interface ServerProgram {
  /** For messages, such as `redis-server`. */
  readonly name: string;
  /** The program's path, with its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly folder?: string;
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly isReady: () => Promise<boolean>;
  readonly startDeadlineMs: number;
  /** Called with each part of the standard output. */
  readonly onOutput?: (chunk: string) => void;
}

/** A server in a process of its own, which ends with this process at the latest. */
export interface ServerProcess {
  /** Kills the process at once, as a crash would. Idempotent. */
  kill(): Promise<void>;
  isRunning(): boolean;
  /** Suspends the process: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
}

/** Pause between two questions whether a server is ready, in milliseconds. */
const POLL_MS = 20;

/** The end of the output that a failed start is reported with, in characters. */
const KEPT_OUTPUT = 4_000;

/**
 * Starts a server, and resolves when it is ready.
 *
 * @throws Error with the server's last output when it ends, or is not ready at the deadline; it was killed then.
 */
export async function startServerProcess(server: ServerProgram): Promise<ServerProcess> {
  const { name, command, folder, env = {}, isReady, startDeadlineMs, onOutput = () => {} } = server;
  const [program, ...args] = command;
  const child = spawn(program, args, {
    ...(folder === undefined ? {} : { cwd: folder }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const onExit = (): void => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.removeListener("exit", onExit));
  let output = "";
  const keep = (chunk: string): void => void (output = (output + chunk).slice(-KEPT_OUTPUT));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    keep(chunk);
    onOutput(chunk);
  });
  child.stderr.setEncoding("utf8").on("data", keep);
  const endMs = performance.now() + startDeadlineMs;
  let isUp = false;
  while (!isUp && !hasEnded(child) && performance.now() < endMs) {
    isUp = await isReady();
    if (!isUp) await sleep(POLL_MS);
  }
  // Another server may have taken the port just before: the new one then ends by itself, and the other one is ready.
  if (!isUp || hasEnded(child)) {
    await kill(child);
    throw new Error(`${name} did not start (${command.join(" ").slice(0, 500)}):\n${output}`);
  }
  return {
    kill: () => kill(child),
    isRunning: () => !hasEnded(child),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
