// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer } from "node:net";

/**
 * Ports below Linux's ephemeral range (from 32768), from which an outgoing connection may take a port between
 * its choice and its use.
 */
const PORTS = { first: 18_000, count: 14_000 };
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
