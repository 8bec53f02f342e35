// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../bench/machine/free-port.ts";
import type { ServerProcess } from "../../bench/machine/server-process.ts";
import type { Authority } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { launch, type RedisServer, redisProgram, startRedis } from "./redis-server.ts";
import { tlsArguments } from "./redis-tls.ts";

/** A primary with two replicas, watched by three Sentinels, on the loopback address. */
export interface SentinelSetup {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The name by which the Sentinels know the primary. */
  readonly master: string;
  /** The primary and the replicas, whichever is which. */
  readonly servers: readonly RedisServer[];
  /** The primary that most Sentinels name now. */
  primary(): Promise<RedisServer>;
  stop(): Promise<void>;
}

const MASTER = "counts";
const DOWN_AFTER_MS = 500;

export interface SentinelOptions {
  /** Password of the Sentinels; default: none. */
  readonly password?: string;
  /** Default: no TLS. Otherwise servers and Sentinels speak TLS with each other; the helper's own clients do not. */
  readonly authority?: Authority;
}

/** Call from a `before` hook with mocha's `this` and a timeout of 30 s. */
export async function startSentinels(
  context: Mocha.Context,
  { password, authority }: SentinelOptions = {},
): Promise<SentinelSetup> {
  const program = redisProgram(context);
  const certificate = authority?.sign("redis");
  const tlsOptions = (tlsPort: number): readonly string[] =>
    authority === undefined || certificate === undefined
      ? []
      : [...tlsArguments(authority, certificate, tlsPort), "--tls-replication", "yes"];
  /** The server, and its port for other servers, Sentinels and clients. */
  const start = async (extra: readonly string[]): Promise<{ server: RedisServer; port: number }> => {
    const tlsPort = await freePort();
    const options = ["--repl-diskless-sync-delay", "0", ...tlsOptions(tlsPort), ...extra];
    const server = await startRedis(context, options);
    return { server, port: authority === undefined ? server.port : tlsPort };
  };
  const first = await start([]);
  const replicaOf = ["--replicaof", first.server.host, `${first.port}`];
  const members = [first, await start(replicaOf), await start(replicaOf)];
  const folder = mkdtempSync(join(tmpdir(), "purser-sentinel-"));
  const processes: ServerProcess[] = [];
  /** The Sentinels' ports, for this helper's clients and for others. */
  const ports: number[] = [];
  const sentinelPorts: number[] = [];
  for (let sentinel = 0; sentinel < 3; sentinel++) {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const file = join(folder, `${port}.conf`);
    const lines = [
      `bind 127.0.0.1`,
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor ${MASTER} ${first.server.host} ${first.port} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 5000`,
      ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    processes.push(await launch("sentinel", [program, file, "--sentinel", ...tlsOptions(tlsPort)], port));
    ports.push(port);
    sentinelPorts.push(authority === undefined ? port : tlsPort);
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
      const replication = await ask(first.server.port, (client) => client.info("replication"));
      if ((replication.match(/state=online/g) ?? []).length !== 2) throw new Error(replication);
    },
    { deadlineMs: 20_000 },
  );
  return {
    sentinels: sentinelPorts.map((port) => ({ host: "127.0.0.1", port })),
    master: MASTER,
    servers: members.map(({ server }) => server),
    primary: async () => {
      const named = await Promise.all(
        ports.map((port) =>
          ask(port, async (client) =>
            Number(((await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)) as string[])[1]),
          ),
        ),
      );
      const [majority] = [...named].sort((a, b) => count(named, b) - count(named, a));
      return members.find(({ port }) => port === majority)?.server as RedisServer;
    },
    stop: async () => {
      await Promise.all(processes.map((sentinel) => sentinel.kill()));
      await Promise.all(members.map(({ server }) => server.stop()));
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
