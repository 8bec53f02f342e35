// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { type ServerProcess, startServerProcess } from "../../bench/machine/server-process.ts";
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
  /** False after `kill` and `stop`. */
  isRunning(): boolean;
  /** Suspends the server: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
  /** Ends the server for good and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const START_DEADLINE_MS = 5_000;
const START_ATTEMPTS = 5;

/**
 * The server's program: redis-server, or a compatible one whose path is in PURSER_TEST_REDIS_SERVER. Skips the suite when it
 * is not installed.
 */
export function redisProgram(context: Mocha.Context): string {
  return process.env["PURSER_TEST_REDIS_SERVER"] ?? requireService(context, "redis-server");
}

/** Call from a `before` hook with mocha's `this`: skips the suite when redis-server is not installed. */
export async function startRedis(
  context: Mocha.Context,
  extraArguments: readonly string[] = [],
): Promise<RedisServer> {
  const program = redisProgram(context);
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
  launch: () => Promise<ServerProcess>,
  first: ServerProcess,
): RedisServer {
  let server = first;
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    kill: () => server.kill(),
    restart: async () => {
      await server.kill();
      server = await launch();
    },
    isRunning: () => server.isRunning(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    stop: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function launchRedis(
  program: string,
  port: number,
  folder: string,
  extraArguments: readonly string[],
): Promise<ServerProcess> {
  const address = ["--bind", HOST, "--port", `${port}`];
  const files = ["--save", "", "--appendonly", "no", "--dir", folder];
  return launch("redis-server", [program, ...address, ...files, ...extraArguments], port);
}

/** Starts a program that speaks Redis' protocol, and resolves when it answers at the port. */
export function launch(
  name: string,
  command: readonly [program: string, ...args: string[]],
  port: number,
): Promise<ServerProcess> {
  return startServerProcess({
    name,
    command,
    isReady: () => accepts(port),
    startDeadlineMs: START_DEADLINE_MS,
  });
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
