// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { KeySetFault, readKeySet } from "../../../core/traffic/authentication/json-web-key-set.ts";
import { backoffMs } from "../../../kernel/backoff.ts";
import { withDeadline } from "../../../kernel/deadline.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../../kernel/ports.ts";
import { KeySet } from "../key-set.ts";
import type { FetchJwks } from "./fetch-jwks.ts";
import { refreshMs } from "./refresh-time.ts";

export type FetchResult = "changed" | "unchanged" | "failed";

export interface JwksServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly fetch: FetchJwks;
  /** @param url Without its query, which may hold a secret. */
  readonly onFetched: (url: string, result: FetchResult) => void;
}

/** Pauses between the tries of a server that is away. */
const RETRIES = { minMs: 1_000, baseMs: 1_000, maxMs: 60_000 };

/** Fetches for tokens with unknown keys: three at once, then one in 10 s. Whoever invents key ids causes no more. */
const EXTRA_FETCHES = 3;
const EXTRA_FETCH_MS = 10_000;

/** Part of the time to the next refresh by which it may be earlier, so that proxies do not fetch in step. */
const REFRESH_JITTER = 0.1;

/**
 * The keys at one URL, kept fresh in the background. Requests are decided by the last good keys, however old: a server that is
 * away, slow or answers with something else changes nothing. Only requests that come before the first fetch has ended wait.
 */
export class JwksSource {
  /** Without the query, for logs and metrics. */
  readonly name: string;
  readonly #url: string;
  readonly #services: JwksServices;
  #timeoutMs: number;
  #keys: KeySet | undefined;
  #text = "";
  #fetchedAtMs: number | undefined;
  #fetching: Promise<void> | undefined;
  #failures = 0;
  #extraFetches = EXTRA_FETCHES;
  #extraSinceMs = 0;
  #cancelNext: Cancel | undefined;
  #closed = false;

  /** @param timeoutMs The longest time of a fetch. */
  constructor(url: string, timeoutMs: number, services: JwksServices) {
    this.name = url.replace(/\?.*$/s, "");
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    this.#services = services;
    void this.#fetch();
  }

  /** Of several rules with the URL, the longest timeout counts for fetches. */
  set timeoutMs(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Milliseconds since the last good fetch; undefined before the first. */
  get ageMs(): number | undefined {
    return this.#fetchedAtMs === undefined
      ? undefined
      : this.#services.clock.monotonicMs() - this.#fetchedAtMs;
  }

  /** The newest good keys; undefined before the first good fetch. */
  get keys(): KeySet | undefined {
    return this.#keys;
  }

  /** The keys, after the end of the first fetch; undefined when there are none within the time. */
  async keysWithin(timeoutMs: number): Promise<KeySet | undefined> {
    if (this.#keys === undefined && this.#fetching !== undefined) await this.#wait(this.#fetching, timeoutMs);
    return this.#keys;
  }

  /** Newer keys than these, for a token whose key is unknown; undefined when there are none within the time. */
  async newerThan(old: KeySet, timeoutMs: number): Promise<KeySet | undefined> {
    const deadlineMs = this.#services.clock.monotonicMs() + timeoutMs;
    // A fetch that is under way may have been answered before the issuer changed its keys: one more follows.
    if (this.#keys === old && this.#fetching !== undefined && !(await this.#wait(this.#fetching, timeoutMs)))
      return undefined;
    if (this.#keys === old) {
      const fetching = this.#fetching ?? (this.#mayFetchNow() ? this.#fetch() : undefined);
      const leftMs = deadlineMs - this.#services.clock.monotonicMs();
      if (fetching !== undefined) await this.#wait(fetching, Math.max(leftMs, 0));
    }
    return this.#keys === old ? undefined : this.#keys;
  }

  close(): void {
    this.#closed = true;
    this.#cancelNext?.();
  }

  /** @returns Whether the fetch ended within the time. */
  async #wait(fetching: Promise<void>, timeoutMs: number): Promise<boolean> {
    try {
      await withDeadline(
        this.#services.scheduler,
        timeoutMs,
        () => fetching,
        () => new Error("late"),
      );
      return true;
    } catch {
      return false;
    }
  }

  /** Takes one of the fetches that tokens with unknown keys may cause. */
  #mayFetchNow(): boolean {
    const nowMs = this.#services.clock.monotonicMs();
    const regained = (nowMs - this.#extraSinceMs) / EXTRA_FETCH_MS;
    this.#extraFetches = Math.min(EXTRA_FETCHES, this.#extraFetches + regained);
    this.#extraSinceMs = nowMs;
    if (this.#closed || this.#extraFetches < 1) return false;
    this.#extraFetches -= 1;
    return true;
  }

  /** Starts a fetch; the promise never rejects. */
  #fetch(): Promise<void> {
    this.#cancelNext?.();
    const fetching = this.#fetchOnce().then((nextMs) => {
      this.#fetching = undefined;
      if (!this.#closed) this.#cancelNext = this.#services.scheduler.after(nextMs, () => void this.#fetch());
    });
    this.#fetching = fetching;
    return fetching;
  }

  /** @returns Milliseconds to the next fetch. */
  async #fetchOnce(): Promise<number> {
    const { scheduler, fetch, random, clock, logger, onFetched } = this.#services;
    const timeoutMs = this.#timeoutMs;
    try {
      const { text, cacheControl } = await withDeadline(
        scheduler,
        timeoutMs,
        ({ signal }) => fetch(this.#url, signal),
        () => new Error(`did not answer within ${timeoutMs} ms`),
      );
      const result = this.#take(text);
      this.#failures = 0;
      this.#fetchedAtMs = clock.monotonicMs();
      onFetched(this.name, result);
      return refreshMs(cacheControl) * (1 - REFRESH_JITTER * random());
    } catch (error) {
      // The client was closed under the fetch.
      if (this.#closed) return 0;
      this.#failures += 1;
      onFetched(this.name, "failed");
      logger.warn("the keys of an issuer cannot be fetched", {
        url: this.name,
        error: messageOf(error),
        inForce: this.#keys === undefined ? "none: tokens are refused" : "the last good keys",
      });
      return backoffMs(this.#failures, random, RETRIES);
    }
  }

  /**
   * Puts fetched keys in force. An unchanged text keeps the set, and with it the tokens that it has verified.
   *
   * @throws Error for a text that is no key set with a key that can be used.
   */
  #take(text: string): FetchResult {
    if (this.#keys !== undefined && text === this.#text) return "unchanged";
    const contents = readKeySet(text, "refused");
    if (contents instanceof KeySetFault) throw new Error(`sent a key set that ${contents.reason}`);
    const { keys, unused } = contents;
    const [first] = unused;
    const hint = first === undefined ? "" : `; keys[${first.index}] ${first.reason}`;
    if (keys.length === 0) throw new Error(`sent a key set without a key that verifies signatures${hint}`);
    this.#keys = new KeySet(keys);
    this.#text = text;
    return "changed";
  }
}
