// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Redis } from "ioredis";
import type { RedisServer } from "./redis-server.ts";

/**
 * Ends the links of a primary's replicas, so that none has a write that the primary makes from now on. The replicas are
 * suspended, since they would connect again at once; resume them soon, before they count as dead.
 */
export async function cutReplication(primary: RedisServer, replicas: readonly RedisServer[]): Promise<void> {
  for (const replica of replicas) replica.pause();
  const client = new Redis(primary.port, primary.host);
  try {
    await client.call("CLIENT", "KILL", "TYPE", "replica");
  } finally {
    client.disconnect();
  }
}

/** The address of a server's primary; undefined when the server is one. */
export async function primaryPortOf(server: RedisServer): Promise<number | undefined> {
  const client = new Redis(server.port, server.host);
  try {
    const port = /^master_port:(\d+)/m.exec(await client.info("replication"))?.[1];
    return port === undefined ? undefined : Number(port);
  } finally {
    client.disconnect();
  }
}
