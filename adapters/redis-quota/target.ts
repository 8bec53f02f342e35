// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { durationMs } from "../../plugins/sdk/index.ts";
import type { Config } from "./config.ts";
import { DEFAULT_HOST, DEFAULT_PORT, parseUrl } from "./url.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** The servers of a handler: one, the primary that Sentinels name, or a cluster. */
export type Topology =
  | { readonly kind: "server"; readonly address: Address }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly Address[];
      readonly master: string;
      readonly credentials: Credentials;
    }
  | { readonly kind: "cluster"; readonly seeds: readonly Address[]; readonly shards: number };

/** Addresses and credentials of Redis. */
export interface RedisTarget {
  readonly topology: Topology;
  readonly credentials: Credentials;
  readonly db: number;
  readonly tls: boolean;
  readonly timeoutMs: number;
}

const SHARDS = 16;

/** @param config A configuration without faults, see `faultsOf`. */
export function targetOf(config: Config): RedisTarget {
  const { url, username, password, db = 0, tls = false } = config;
  const timeoutMs = durationMs(config.timeout);
  if (url === undefined)
    return { topology: topologyOf(config), credentials: { username, password }, db, tls, timeoutMs };
  const parsed = parseUrl(url);
  if (typeof parsed === "string") throw new TypeError(`url ${parsed}`);
  return {
    topology: { kind: "server", address: { host: parsed.host, port: parsed.port } },
    credentials: { username: parsed.username, password: parsed.password },
    db: parsed.db,
    tls: parsed.tls,
    timeoutMs,
  };
}

function topologyOf(config: Config): Topology {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, sentinels, master = "", cluster } = config;
  if (cluster !== undefined) return { kind: "cluster", seeds: cluster, shards: config.shards ?? SHARDS };
  if (sentinels === undefined) return { kind: "server", address: { host, port } };
  const credentials = { username: config.sentinelUsername, password: config.sentinelPassword };
  return { kind: "sentinel", sentinels, master, credentials };
}

/** `host:port`, with an IPv6 address in brackets. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The topology, for messages. */
export function topologyText(topology: Topology): string {
  switch (topology.kind) {
    case "server":
      return addressText(topology.address);
    case "sentinel":
      return `${topology.master} of the Sentinels ${topology.sentinels.map(addressText).join(", ")}`;
    case "cluster":
      return `the cluster of ${topology.seeds.map(addressText).join(", ")}`;
  }
}
