// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { requireService } from "./services.ts";

/** A redis-server process for a test, on the loopback address, without persistence. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** URL, `redis://127.0.0.1:PORT`. */
  readonly url: string;
  /** Kills the server at once, as a crash would; `restart` starts it empty. */
  kill(): Promise<void>;
  /** Starts the server again on the same port, empty; resolves when it answers. */
  restart(): Promise<void>;
  /** Suspends the server: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
  /** Ends the server for good and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const START_DEADLINE_MS = 5_000;
const START_ATTEMPTS = 5;

/** Call from a `before` hook with mocha's `this`: skips the suite when redis-server is not installed. */
export async function startRedis(
  context: Mocha.Context,
  extraArguments: readonly string[] = [],
): Promise<RedisServer> {
  const program = requireService(context, "redis-server");
  const folder = mkdtempSync(join(tmpdir(), "purser-redis-"));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      const launch = () => launchRedis(program, port, folder, extraArguments);
      return handleOf(port, folder, launch, await launch());
    } catch (error) {
      // Another process may have taken the free port meanwhile.
      if (attempt < START_ATTEMPTS) continue;
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

function handleOf(
  port: number,
  folder: string,
  launch: () => Promise<ChildProcess>,
  first: ChildProcess,
): RedisServer {
  let child = first;
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    kill: end,
    restart: async () => {
      await end();
      child = await launch();
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launchRedis(
  program: string,
  port: number,
  folder: string,
  extraArguments: readonly string[],
): Promise<ChildProcess> {
  const child = spawn(
    program,
    [
      "--bind",
      HOST,
      "--port",
      `${port}`,
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      folder,
      ...extraArguments,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  // A test process that dies must not leave its servers running.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.removeListener("exit", onExit));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  child.stderr.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`redis-server did not start on port ${port}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Another server may have taken the port just before: the new server then exits by itself.
  if (child.exitCode !== null) throw new Error(`redis-server did not start on port ${port}:\n${output}`);
  return child;
}

/** Whether the server answers PING; the error NOAUTH of a server with a password counts as an answer. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: HOST, port });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => finish(false));
    socket.once("error", () => finish(false));
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (data) => finish(/^(\+PONG|-NOAUTH)/.test(data.toString())));
  });
}
