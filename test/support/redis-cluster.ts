// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { freePort } from "../../bench/machine/free-port.ts";
import type { Authority } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { tlsArguments } from "./redis-tls.ts";
import { requireService } from "./services.ts";

/** A real Redis Cluster on the loopback address: three primaries, each with a replica. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** Each node as host and port, which is that of TLS in a cluster with TLS. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The node that has the slot now. */
  primaryOf(slot: number): Promise<RedisServer>;
  /** Runs `redis-cli --cluster COMMAND` at the first node, and resolves with its output. */
  cli(command: string, ...args: readonly string[]): Promise<string>;
  /** Resolves with the result of `use` for a client of each primary that runs. */
  eachPrimary<T>(use: (client: Redis) => Promise<T>): Promise<readonly T[]>;
  /** Resolves when every node knows a primary for every slot, and every primary has a replica in sync. */
  untilInSync(): Promise<void>;
  /** CONFIG SET at one node. */
  configure(port: number, option: string, value: string): Promise<void>;
  stop(): Promise<void>;
}

/** Time without an answer after which the other nodes replace a primary, in milliseconds. */
const NODE_TIMEOUT_MS = 1_000;

export interface ClusterOptions {
  /** Default: no TLS. Otherwise nodes speak TLS with each other and with clients; the helper's own clients do not. */
  readonly authority?: Authority;
}

/** Call from a `before` hook with mocha's `this` and a timeout of 30 s. */
export async function startRedisCluster(
  context: Mocha.Context,
  { authority }: ClusterOptions = {},
): Promise<RedisCluster> {
  const redisCli = requireService(context, "redis-cli");
  const certificate = authority?.sign("node");
  const tlsPorts: number[] = [];
  const tlsOptions = async (): Promise<readonly string[]> => {
    if (authority === undefined || certificate === undefined) return [];
    const tlsPort = await freePort();
    tlsPorts.push(tlsPort);
    return [
      ...tlsArguments(authority, certificate, tlsPort),
      "--tls-cluster",
      "yes",
      "--tls-replication",
      "yes",
    ];
  };
  const nodes: RedisServer[] = [];
  for (let node = 0; node < 6; node++) {
    const options = {
      "--cluster-enabled": "yes",
      "--cluster-port": `${await freePort()}`,
      "--cluster-node-timeout": `${NODE_TIMEOUT_MS}`,
      "--repl-diskless-sync-delay": "0",
    };
    nodes.push(await startRedis(context, [...Object.entries(options).flat(), ...(await tlsOptions())]));
  }
  const tls =
    authority === undefined || certificate === undefined
      ? []
      : [
          "--tls",
          "--cacert",
          authority.certFile,
          "--cert",
          certificate.certFile,
          "--key",
          certificate.keyFile,
        ];
  const run = async (args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(redisCli, [...tls, ...args], { timeout: 60_000 })).stdout;
  const addresses = nodes.map(({ host, port }, node) => ({ host, port: tlsPorts[node] ?? port }));
  const names = addresses.map(({ host, port }) => `${host}:${port}`);
  await run(["--cluster", "create", ...names, "--cluster-replicas", "1", "--cluster-yes"]);
  const withClient = async <T>(port: number, use: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(port, "127.0.0.1", { retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on("error", () => undefined);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  };
  const running = () => nodes.filter((node) => node.isRunning());
  const slots = () => withClient((running()[0] as RedisServer).port, (client) => client.cluster("SLOTS"));
  const assertInSync = async () => {
    for (const { port } of nodes) {
      const [state, replication] = await withClient(port, async (client) => [
        String(await client.cluster("INFO")),
        await client.info("replication"),
      ]);
      if (!state.includes("cluster_state:ok")) throw new Error(`${port}: ${state}`);
      if (!/role:master[^]*state=online|role:slave[^]*master_link_status:up/.test(replication))
        throw new Error(`${port}: ${replication}`);
    }
  };
  const untilInSync = () => eventually(assertInSync, { deadlineMs: 20_000 });
  await untilInSync();
  return {
    nodes,
    addresses,
    primaryOf: async (slot) => {
      const range = (await slots()).find(([first, last]) => slot >= first && slot <= last);
      return nodes.find(({ port }) => port === range?.[2]?.[1]) as RedisServer;
    },
    cli: (command, ...args) => run(["--cluster", command, names[0] as string, ...args]),
    eachPrimary: async (use) => {
      const ports = [...new Set((await slots()).map(([, , primary]) => primary?.[1] ?? 0))];
      return await Promise.all(ports.map((port) => withClient(port, use)));
    },
    untilInSync,
    configure: async (port, option, value) =>
      void (await withClient(port, (client) => client.config("SET", option, value))),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}
