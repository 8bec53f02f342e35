// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../bench/machine/free-port.ts";
import type { ServerProcess } from "../../bench/machine/server-process.ts";
import { eventually } from "./eventually.ts";
import { launch, type RedisServer, redisProgram, startRedis } from "./redis-server.ts";

/** A primary with two replicas, watched by three Sentinels, on the loopback address. */
export interface SentinelSetup {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The name by which the Sentinels know the primary. */
  readonly master: string;
  /** The primary that most Sentinels name now. */
  primary(): Promise<RedisServer>;
  stop(): Promise<void>;
}

const MASTER = "counts";
const DOWN_AFTER_MS = 500;

export interface SentinelOptions {
  /** Password of the Sentinels; default: none. */
  readonly password?: string;
}

/** Call from a `before` hook with mocha's `this` and a timeout of 30 s. */
export async function startSentinels(
  context: Mocha.Context,
  { password }: SentinelOptions = {},
): Promise<SentinelSetup> {
  const program = redisProgram(context);
  const fast = ["--repl-diskless-sync-delay", "0"];
  const first = await startRedis(context, fast);
  const replicaOf = ["--replicaof", first.host, `${first.port}`];
  const servers = [
    first,
    await startRedis(context, [...fast, ...replicaOf]),
    await startRedis(context, [...fast, ...replicaOf]),
  ];
  const folder = mkdtempSync(join(tmpdir(), "purser-sentinel-"));
  const processes: ServerProcess[] = [];
  const ports: number[] = [];
  for (let sentinel = 0; sentinel < 3; sentinel++) {
    const port = await freePort();
    const file = join(folder, `${port}.conf`);
    const lines = [
      `bind 127.0.0.1`,
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor ${MASTER} ${first.host} ${first.port} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 5000`,
      ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    processes.push(await launch("sentinel", [program, file, "--sentinel"], port));
    ports.push(port);
  }
  const ask = async <T>(port: number, use: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(port, "127.0.0.1", {
      retryStrategy: () => null,
      ...(password === undefined ? {} : { password }),
    });
    client.on("error", () => undefined);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  };
  // A failover needs Sentinels that know each other and the replicas.
  await eventually(
    async () => {
      for (const port of ports) {
        const state = await ask(port, async (client) =>
          Object.fromEntries(pairs((await client.call("SENTINEL", "MASTER", MASTER)) as string[])),
        );
        if (state["num-slaves"] !== "2" || state["num-other-sentinels"] !== "2")
          throw new Error(`Sentinel ${port}: ${JSON.stringify(state)}`);
      }
      const replication = await ask(first.port, (client) => client.info("replication"));
      if ((replication.match(/state=online/g) ?? []).length !== 2) throw new Error(replication);
    },
    { deadlineMs: 20_000 },
  );
  return {
    sentinels: ports.map((port) => ({ host: "127.0.0.1", port })),
    master: MASTER,
    primary: async () => {
      const named = await Promise.all(
        ports.map((port) =>
          ask(port, async (client) =>
            Number(((await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)) as string[])[1]),
          ),
        ),
      );
      const [majority] = [...named].sort((a, b) => count(named, b) - count(named, a));
      return servers.find(({ port }) => port === majority) as RedisServer;
    },
    stop: async () => {
      await Promise.all(processes.map((sentinel) => sentinel.kill()));
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((key, at) => (at % 2 === 0 ? [[key, flat[at + 1] ?? ""] as [string, string]] : []));
}

function count(values: readonly number[], value: number): number {
  return values.filter((each) => each === value).length;
}
