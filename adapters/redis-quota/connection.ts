// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import type * as ioredis from "ioredis";
import type { Logger, Random } from "../../plugins/sdk/index.ts";
import type { RedisTarget } from "./config.ts";
import type { Failures } from "./failure.ts";
import { SCRIPT, SCRIPT_SHA1 } from "./script.ts";

const RECONNECT_MIN_MS = 25;
const RECONNECT_MAX_MS = 500;
/**
 * A connection is dropped after a command has been unanswered for this long: the peer may have vanished
 * silently.
 */
const SILENCE_MS = 1_000;

/** A Lua script, with the digest by which Redis identifies it. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

const COUNTING: Script = { source: SCRIPT, sha1: SCRIPT_SHA1 };

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly failures: Failures;
  readonly logger: Logger;
  readonly random: Random;
}

/**
 * One connection, opened at once, so that the first request need not wait for it, and reopened until it is closed. There
 * is no offline queue, and no command is sent twice: each caller has a deadline and handles failure.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: ioredis.Redis;
  readonly #waiting = new Set<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  #lastError: unknown = new Error("the connection was lost");
  #down = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = this.#createClient();
    this.#client.on("ready", () => this.#opened());
    this.#client.on("error", (error: unknown) => this.#failed(error));
    this.#client.on("close", () => this.#settleWaiting(this.#lastError));
    this.#client.on("end", () => this.#settleWaiting(this.#lastError));
  }

  /** Runs a script, by default the one that counts; sends its source when the server has lost it. */
  async evaluate(
    keys: readonly string[],
    args: readonly string[],
    { source, sha1 }: Script = COUNTING,
  ): Promise<unknown> {
    if (this.#client.status !== "ready") await this.#connected();
    try {
      return await this.#client.evalsha(sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!this.#options.failures.reasonOf(error).startsWith("NOSCRIPT")) throw error;
      return await this.#client.eval(source, keys.length, ...keys, ...args);
    }
  }

  async ping(): Promise<void> {
    if (this.#client.status !== "ready") await this.#connected();
    await this.#client.ping();
  }

  /** Closes at once: commands under way are rejected. Safe to call twice. */
  close(): void {
    this.#lastError = new Error("the connection was closed");
    this.#client.disconnect();
    // A hanging peer would never answer QUIT.
    this.#client.stream?.destroy();
    this.#settleWaiting(this.#lastError);
  }

  #createClient(): ioredis.Redis {
    // Loaded here: loading it takes 50 ms or more, which only processes with a Redis store should spend.
    const { Redis } = createRequire(import.meta.url)("ioredis") as typeof ioredis;
    const { target, random } = this.#options;
    const { host, port, db } = target;
    return new Redis({
      host,
      port,
      db,
      ...(target.username === undefined ? {} : { username: target.username }),
      ...(target.password === undefined ? {} : { password: target.password }),
      ...(target.tls ? { tls: {} } : {}),
      protocol: 2,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: SILENCE_MS,
      socketTimeout: Math.max(SILENCE_MS, 2 * target.timeoutMs),
      disconnectTimeout: target.timeoutMs,
      connectionName: "purser",
      disableClientInfo: true,
      // The ready check would leave a timer behind; a server that is still loading refuses every command
      // anyway.
      enableReadyCheck: false,
      retryStrategy: (times) =>
        Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10)) * (0.5 + random() / 2),
      // After a failover this connection may lead to a replica.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
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
    const { logger, failures } = this.#options;
    if (this.#down) logger.info("redis is available again", { address: failures.address });
    this.#down = false;
    this.#lastError = new Error("the connection was lost");
    this.#settleWaiting(undefined);
  }

  #failed(error: unknown): void {
    const { logger, failures } = this.#options;
    this.#lastError = error;
    if (!this.#down) {
      logger.warn("redis is unavailable", { address: failures.address, reason: failures.reasonOf(error) });
    }
    this.#down = true;
    // Some errors do not end the connection: without the database that was asked for, it would stay in
    // database 0.
    this.#client.stream?.destroy();
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
