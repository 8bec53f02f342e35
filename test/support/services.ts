// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

/**
 * Finds real servers for tests. A test is skipped when its server is not installed; with REQUIRE_SERVICES=1
 * it fails instead, so that a build server cannot pass without running the test.
 */

/** Folders of server programs, which Debian leaves out of an ordinary user's PATH. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/usr/local/bin"];

/** The program's path, or undefined when it is not installed. */
export function findService(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...SERVER_FOLDERS].map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * The program's path. Without the program, skips the running test, or in a `before` hook the whole suite.
 * Call it with mocha's `this` from a `function`, not from an arrow function.
 */
export function requireService(context: Mocha.Context, name: string): string {
  const path = findService(name);
  if (path !== undefined) return path;
  const reason = `${name} not found on PATH or in ${SERVER_FOLDERS.join(", ")}`;
  if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(`REQUIRE_SERVICES=1, but ${reason}`);
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}

/**
 * Ports below the ephemeral range (from 32768), from which a connection may take a port between its choice
 * and its use.
 */
const PORTS = { first: 25_000, count: 7_000 };
let nextPort = Math.floor(Math.random() * PORTS.count);

/** A free port on the loopback address, given to this process only once. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS.count; tries++) {
    const port = PORTS.first + (nextPort++ % PORTS.count);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error("no port is free");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
