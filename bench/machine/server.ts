// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Child, Children } from "./children.ts";

const START_DEADLINE_MS = 5_000;

/** Starts a server, and resolves once it accepts connections on its loopback port. Both its outputs go to the file. */
export async function startServer(
  children: Children,
  server: {
    readonly name: string;
    readonly core: number;
    readonly command: readonly string[];
    readonly port: number;
    readonly logFile: string;
  },
): Promise<Child> {
  const { name, core, command, port, logFile } = server;
  const child = children.start(core, command, logFile);
  const startMs = performance.now();
  while (!(await accepts(port))) {
    if (!child.isRunning() || performance.now() - startMs > START_DEADLINE_MS)
      throw new Error(`${name} did not start: see ${logFile}`);
    await sleep(10);
  }
  return child;
}

/** Whether somebody accepts connections on the loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}
