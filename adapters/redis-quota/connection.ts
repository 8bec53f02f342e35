// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Redis } from "ioredis";
import type { Logger, Random } from "../../plugins/sdk/index.ts";
import type { RedisTarget } from "./config.ts";
import type { Failures } from "./failure.ts";
import { SCRIPT, SCRIPT_SHA1 } from "./script.ts";

const RECONNECT_MIN_MS = 25;
const RECONNECT_MAX_MS = 500;
/** A connection on which a command stays unanswered for this long is given up: the peer may be gone without a word. */
const SILENCE_MS = 1_000;

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly failures: Failures;
  readonly logger: Logger;
  readonly random: Random;
}

/**
 * One connection, made when it is first needed and made again for as long as it is not closed. Nothing is queued while
 * there is none and nothing is sent twice: whoever calls has a deadline, and deals with failure.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Redis;
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

  /** Runs the script, and sends it when this server has not seen it since it started. */
  async evaluate(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (this.#client.status !== "ready") await this.#connected();
    try {
      return await this.#client.evalsha(SCRIPT_SHA1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!this.#options.failures.reasonOf(error).startsWith("NOSCRIPT")) throw error;
      return await this.#client.eval(SCRIPT, keys.length, ...keys, ...args);
    }
  }

  async ping(): Promise<void> {
    if (this.#client.status !== "ready") await this.#connected();
    await this.#client.ping();
  }

  /** At once: commands under way are rejected. Safe to call twice. */
  close(): void {
    this.#lastError = new Error("the connection was closed");
    this.#client.disconnect();
    // A peer that hangs would never answer the polite end.
    this.#client.stream?.destroy();
    this.#settleWaiting(this.#lastError);
  }

  #createClient(): Redis {
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
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: SILENCE_MS,
      socketTimeout: Math.max(SILENCE_MS, 2 * target.timeoutMs),
      disconnectTimeout: target.timeoutMs,
      connectionName: "purser",
      disableClientInfo: true,
      // A server that is still loading says so to every command, and its check would leave a timer behind.
      enableReadyCheck: false,
      retryStrategy: (times) =>
        Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10)) * (0.5 + random() / 2),
      // After a failover this connection may lead to what is now a replica.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
  }

  /** Waits while a connection is being made, and fails at once while the next try is only due. */
  #connected(): Promise<void> {
    switch (this.#client.status) {
      case "wait":
        // What goes wrong comes as an event too.
        this.#client.connect().catch(() => undefined);
        break;
      case "connecting":
      case "connect":
        break;
      default:
        return Promise.reject(this.#lastError);
    }
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  #opened(): void {
    // #failed has just ended it: the handshake had an error that ioredis goes on after.
    if (this.#client.stream.destroyed) return;
    const { logger, failures } = this.#options;
    if (this.#down) logger.info("redis answers again", { address: failures.address });
    this.#down = false;
    this.#lastError = new Error("the connection was lost");
    this.#settleWaiting(undefined);
  }

  #failed(error: unknown): void {
    const { logger, failures } = this.#options;
    this.#lastError = error;
    if (!this.#down) {
      logger.warn("redis cannot be used", { address: failures.address, reason: failures.reasonOf(error) });
    }
    this.#down = true;
    // Not all that is wrong ends a connection by itself: a database that does not exist would leave us in another one.
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
