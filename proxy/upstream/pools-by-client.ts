// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  ClientSettings,
  ClientStream,
  ClientStreamReceiver,
  TransportClient,
} from "../transport/contract/client.ts";
import type { ProxiedEnds } from "../transport/contract/connection.ts";
import type { RequestHead } from "../transport/contract/head.ts";
import { RefusedStream } from "../transport/contract/refused-stream.ts";

/**
 * Longest time that a connection for one client rests without a request: the client may have left, and nobody else can
 * use the connection.
 */
const MAX_IDLE_MS = 10_000;

/** The connections for one client's connection. */
interface Pool {
  readonly client: TransportClient;
  /** Number of requests under way. */
  active: number;
}

/**
 * The connections to one endpoint that wants a header of the PROXY protocol: a pool for each client's connection, since
 * the header names one client for all requests behind it. `maxConnections` bounds all pools together. The pool that was
 * used longest ago makes way when it has no request under way; else the new request is reset with `overflow`.
 */
export class PoolsByClient implements TransportClient {
  readonly #settings: ClientSettings;
  /** For requests of the proxy's own. It also keeps the certificates read, which new pools need at once. */
  readonly #own: TransportClient;
  readonly #createClient: (settings: ClientSettings) => TransportClient;
  /** By the client's ends; the pool that was used last at the end. */
  readonly #pools = new Map<string, Pool>();
  readonly #poolOf = new WeakMap<ClientStream, Pool>();
  /** Pools that make way, until their connections are closed. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(settings: ClientSettings, createClient: (settings: ClientSettings) => TransportClient) {
    const { idleTimeoutMs } = settings;
    const restMs = idleTimeoutMs === 0 ? MAX_IDLE_MS : Math.min(idleTimeoutMs, MAX_IDLE_MS);
    this.#settings = { ...settings, idleTimeoutMs: restMs };
    this.#createClient = createClient;
    this.#own = createClient(this.#settings);
  }

  /** @param ends Of the client's connection; undefined for a request of the proxy's own. */
  open(
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body?: Uint8Array,
    ends?: ProxiedEnds,
  ): ClientStream {
    if (ends === undefined) return this.#own.open(head, receiver, body);
    const key = keyOf(ends);
    let pool = this.#pools.get(key);
    if (this.#needsConnection(pool) && !this.#makeRoom(pool))
      return new RefusedStream(receiver, "overflow", "too many connections are open for other clients");
    pool ??= { client: this.#createClient({ ...this.#settings, proxiedEnds: ends }), active: 0 };
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    pool.active++;
    const stream = pool.client.open(head, receiver, body);
    this.#poolOf.set(stream, pool);
    return stream;
  }

  closed(stream: ClientStream): void {
    const pool = this.#poolOf.get(stream);
    if (pool === undefined) return;
    this.#poolOf.delete(stream);
    pool.active--;
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    let { connected, pending } = this.#own.stats;
    for (const { client } of this.#pools.values()) {
      connected += client.stats.connected;
      pending += client.stats.pending;
    }
    return { connected, pending };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.map((client) => client.close()), ...this.#leaving]);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()));
  }

  get #clients(): readonly TransportClient[] {
    return [this.#own, ...[...this.#pools.values()].map(({ client }) => client)];
  }

  /** Whether a further request of the pool opens a connection. */
  #needsConnection(pool: Pool | undefined): boolean {
    return pool === undefined || pool.client.stats.connected < this.#connectionsFor(pool.active + 1);
  }

  /** Number of connections that so many requests of one pool take up: of HTTP/2, one carries them all. */
  #connectionsFor(requests: number): number {
    return this.#settings.protocol === "http2" ? Math.min(requests, 1) : requests;
  }

  /** Returns false when a further connection would be one too many. */
  #makeRoom(user: Pool | undefined): boolean {
    let open = 0;
    for (const [key, pool] of this.#pools) {
      const { connected, pending } = pool.client.stats;
      // A request that waits has a connection under way.
      if (pool === user || pool.active > 0 || connected + pending > 0)
        open += Math.max(connected, this.#connectionsFor(pool.active));
      else this.#remove(key, pool);
    }
    for (const [key, pool] of this.#pools) {
      if (open < this.#settings.maxConnections) break;
      if (pool === user || pool.active > 0) continue;
      open -= pool.client.stats.connected;
      this.#remove(key, pool);
    }
    return open < this.#settings.maxConnections;
  }

  /** The pool has no request under way, so that its connections are closed at once. */
  #remove(key: string, { client }: Pool): void {
    this.#pools.delete(key);
    const leaving: Promise<void> = client.close().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}

function keyOf({ remoteIp, remotePort, localIp, localPort }: ProxiedEnds): string {
  return `${remoteIp} ${remotePort} ${localIp} ${localPort}`;
}
