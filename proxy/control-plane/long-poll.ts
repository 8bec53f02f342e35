// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../../kernel/backoff.ts";
import { isPurserError, messageOf } from "../../kernel/errors.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { CallFailure, type JsonClient } from "./json-client.ts";

export interface LongPollOptions<T> {
  /**
   * Replicas. One replica is polled until it fails, so that two whose states differ for a while do not
   * alternate.
   */
  readonly servers: readonly JsonClient[];
  /** The path and query of a poll that the server holds until its state differs from `known`. */
  readonly path: (known: T | undefined) => string;
  /** Decodes the body of a reply; throws when it is malformed. */
  readonly decode: (body: unknown) => T;
  readonly onNews: (news: T) => void;
  /** How long the server may hold a poll, in milliseconds. */
  readonly waitMs: number;
  /** Time allowed for the reply beyond `waitMs`, in milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The pause between a failure and the next try. It does not grow, so that changes arrive soon after the
 * server is back.
 */
const BACKOFF = { minMs: 50, baseMs: 450, maxMs: 500 };
/**
 * A poll without news that ends sooner than this was not held: the server is draining, or does not support
 * long polls.
 */
const SHORT_POLL_MS = 100;
/** Minimum time between two polls that bring news. */
const NEWS_INTERVAL_MS = 25;

/**
 * Starts a long poll for changes, until the returned function is called. While no server answers, the last
 * known state stays in force.
 */
export function startLongPoll<T>(options: LongPollOptions<T>): () => void {
  const poll = new LongPoll(options);
  void poll.run();
  return () => poll.stop();
}

class LongPoll<T> {
  readonly #options: LongPollOptions<T>;
  readonly #controller = new AbortController();
  #known: T | undefined;
  #server = 0;
  #failing = false;
  #wake: (() => void) | undefined;

  constructor(options: LongPollOptions<T>) {
    this.#options = options;
  }

  stop(): void {
    this.#controller.abort();
    this.#wake?.();
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const pauseMs = await this.#poll();
      if (pauseMs > 0 && !this.#stopped) await this.#pause(pauseMs);
    }
  }

  get #stopped(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Makes one poll. Returns the pause before the next poll, in milliseconds. */
  async #poll(): Promise<number> {
    const { servers, path, waitMs, graceMs, clock } = this.#options;
    const server = servers[this.#server % servers.length] as JsonClient;
    const sinceMs = clock.monotonicMs();
    const reply = await server.call({
      method: "GET",
      path: path(this.#known),
      timeoutMs: waitMs + graceMs,
      signal: this.#controller.signal,
    });
    if (this.#stopped) return 0;
    if (reply instanceof CallFailure) return this.#failed(reply.error);
    if (reply.status === 304) {
      this.#recovered(server);
      return clock.monotonicMs() - sinceMs < SHORT_POLL_MS ? backoffMs(1, this.#options.random, BACKOFF) : 0;
    }
    let news: T;
    try {
      news = this.#options.decode(reply.body);
    } catch (error) {
      return this.#failed(error);
    }
    this.#recovered(server);
    this.#known = news;
    try {
      this.#options.onNews(news);
    } catch (error) {
      this.#options.logger.error("the configuration from the control plane could not be applied", {
        error: messageOf(error),
      });
    }
    return NEWS_INTERVAL_MS;
  }

  #failed(error: unknown): number {
    const { logger, servers } = this.#options;
    if (!this.#failing)
      logger.warn("the control plane does not answer; its last configuration stays in force", {
        error: messageOf(error),
        ...(isPurserError(error) ? { code: error.code } : {}),
      });
    this.#failing = true;
    this.#server = (this.#server + 1) % servers.length;
    return backoffMs(1, this.#options.random, BACKOFF);
  }

  #recovered({ url }: JsonClient): void {
    if (this.#failing) this.#options.logger.info("the control plane answers again", { url });
    this.#failing = false;
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = this.#options.scheduler.after(durationMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
