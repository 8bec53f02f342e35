// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import type * as ioredis from "ioredis";
import type { Logger, Random } from "../../plugins/sdk/index.ts";
import type { Backend, ScriptRun } from "./backend.ts";
import type { EvictionWarning } from "./eviction-warning.ts";
import type { Failures } from "./failure.ts";
import type { Script } from "./lua-script.ts";
import { addressText, type RedisTarget, type Topology } from "./target.ts";
import type { TlsFiles } from "./tls-files.ts";

const RECONNECT_MIN_MS = 25;
const RECONNECT_MAX_MS = 500;
/**
 * A connection is dropped after a command has been unanswered for this long: the peer may have vanished
 * silently.
 */
const SILENCE_MS = 1_000;

/**
 * A run with so many keys takes Redis a quarter of a millisecond. Sent at once, it is under way while this process makes the
 * next run: held back until the end of the turn, each side would wait while the other works.
 */
const SENT_AT_ONCE_KEYS = 64;

/** Settings that all connections of a handler share. */
export interface ConnectionSettings {
  readonly target: Pick<RedisTarget, "credentials" | "db" | "timeoutMs">;
  /** undefined: connections without TLS. */
  readonly tls: TlsFiles | undefined;
  readonly failures: Failures;
  readonly eviction: EvictionWarning;
  readonly logger: Logger;
  readonly random: Random;
}

/** A connection's end: one server, or the primary that Sentinels name. */
export type Endpoint = Exclude<Topology, { readonly kind: "cluster" }>;

/**
 * One connection, opened at once, so that the first request need not wait for it, and reopened until it is closed. There
 * is no offline queue, and no command is sent twice: each caller has a deadline and handles failure.
 */
export class Connection implements Backend {
  readonly #settings: ConnectionSettings;
  readonly #address: string;
  readonly #client: ioredis.Redis;
  readonly #waiting = new Set<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  #lastError: unknown;
  #down = false;
  #closed = false;
  #corked = false;

  constructor(endpoint: Endpoint, settings: ConnectionSettings) {
    this.#settings = settings;
    const { failures, tls } = settings;
    this.#address = endpoint.kind === "server" ? addressText(endpoint.address) : failures.address;
    this.#lastError = new Error(`${tls?.unread.join(" and ") ?? ""} could not be read yet`);
    this.#client = createClient(endpoint, settings);
    this.#client.on("ready", () => this.#opened());
    this.#client.on("error", (error: unknown) => this.#failed(error));
    this.#client.on("close", () => this.#settleWaiting(this.#lastError));
    this.#client.on("end", () => this.#settleWaiting(this.#lastError));
    if (tls === undefined) this.#connect();
    else tls.whenRead(() => this.#connect());
  }

  get isReady(): boolean {
    return this.#client.status === "ready";
  }

  /** @param asking Whether a cluster has redirected the command with ASK, for this once. */
  async evaluate({ script, keys, args }: ScriptRun, asking = false): Promise<unknown> {
    if (!this.isReady) await this.#connected();
    if (keys.length < SENT_AT_ONCE_KEYS) this.#cork();
    try {
      if (asking) this.#ask();
      return await this.#run(script, "evalsha", [script.sha1, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!this.#settings.failures.reasonOf(error).startsWith("NOSCRIPT")) throw error;
      if (asking) this.#ask();
      return await this.#run(script, "eval", [script.source, keys.length, ...keys, ...args]);
    }
  }

  async ping(): Promise<void> {
    if (!this.isReady) await this.#connected();
    await this.#client.ping();
  }

  /** The reply to CLUSTER SLOTS. */
  async clusterSlots(): Promise<unknown> {
    if (!this.isReady) await this.#connected();
    return await this.#client.cluster("SLOTS");
  }

  close(): void {
    this.#closed = true;
    this.#lastError = new Error("the connection was closed");
    this.#client.disconnect();
    // A hanging peer would never answer QUIT.
    this.#client.stream?.destroy();
    this.#settleWaiting(this.#lastError);
  }

  #connect(): void {
    // The client reports the error as an event too.
    if (!this.#closed) this.#client.connect().catch(() => undefined);
  }

  /** Writes the commands of this turn in one call of the system. */
  #cork(): void {
    if (this.#corked) return;
    const { stream } = this.#client;
    this.#corked = true;
    stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  #run({ replies }: Script, command: string, args: (string | number)[]): Promise<unknown> {
    const client = this.#client;
    return replies === "bytes" ? client.callBuffer(command, args) : client.call(command, args);
  }

  #ask(): void {
    // A refusal of ASKING leads to one of the command that follows.
    this.#client.asking().catch(() => undefined);
  }

  /** Waits while a connection is being opened; fails at once between attempts. */
  #connected(): Promise<void> {
    switch (this.#client.status) {
      case "connecting":
      case "connect":
        break;
      default:
        return Promise.reject(this.#lastError);
    }
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  #opened(): void {
    // #failed has just destroyed the stream: ioredis continues after errors in the handshake.
    if (this.#client.stream.destroyed) return;
    const { logger, eviction } = this.#settings;
    if (this.#down) logger.info("redis is available again", { address: this.#address });
    this.#down = false;
    this.#lastError = new Error("the connection was lost");
    this.#settleWaiting(undefined);
    eviction.check(this.#address, () => this.#client.info("memory"));
  }

  #failed(error: unknown): void {
    const { logger, failures } = this.#settings;
    this.#lastError = error;
    if (!this.#down) {
      logger.warn("redis is unavailable", { address: this.#address, reason: failures.reasonOf(error) });
    }
    this.#down = true;
    // Some errors do not end the connection: without the database that was asked for, it would stay in
    // database 0.
    this.#client.stream?.destroy();
    // While no Sentinel answers, there is no connection that closes.
    this.#settleWaiting(error);
  }

  #settleWaiting(error: unknown): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { resolve, reject } of waiting) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }
}

/** The constructor takes no undefined `replyMapping`. */
type Options = Omit<ioredis.RedisOptions, "replyMapping">;

function createClient(endpoint: Endpoint, { target, tls, random }: ConnectionSettings): ioredis.Redis {
  // Loaded here: loading it takes 50 ms or more, which only processes with a Redis store should spend.
  const { Redis } = createRequire(import.meta.url)("ioredis") as typeof ioredis;
  const { credentials, db, timeoutMs } = target;
  const delayMs = (times: number): number =>
    Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10)) * (0.5 + random() / 2);
  const options: Options = {
    ...endpointOptions(endpoint, tls, delayMs),
    lazyConnect: true,
    db,
    ...defined(credentials),
    ...(tls === undefined ? {} : { tls: tls.options }),
    protocol: 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SILENCE_MS,
    socketTimeout: Math.max(SILENCE_MS, 2 * timeoutMs),
    disconnectTimeout: timeoutMs,
    connectionName: "purser",
    disableClientInfo: true,
    // The ready check would leave a timer behind; a server that is still loading refuses every command
    // anyway.
    enableReadyCheck: false,
    retryStrategy: delayMs,
    // After a failover this connection may lead to a replica.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
  return new Redis(options);
}

function endpointOptions(
  endpoint: Endpoint,
  tls: TlsFiles | undefined,
  delayMs: (times: number) => number,
): Options {
  if (endpoint.kind === "server") return { ...endpoint.address };
  const { sentinels, master, credentials } = endpoint;
  const { username, password } = credentials;
  return {
    sentinels: [...sentinels],
    name: master,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { sentinelTLS: tls.options, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: SILENCE_MS,
    sentinelRetryStrategy: delayMs,
    // The Sentinels of the configuration are enough, and listing others takes a right of its own.
    updateSentinels: false,
  };
}

function defined({ username, password }: RedisTarget["credentials"]): ioredis.RedisOptions {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}
