// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import { PurserError } from "../kernel/errors.ts";
import type { Clock } from "../kernel/ports.ts";

/** Requests for certificates that one source may make at once, and each second. */
const BURST = 100;
const PER_SECOND = 20;
/** Most sources that are counted. Eviction: least recently used. */
const MAX_SOURCES = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket for each source of requests: checking a request's signature takes about a millisecond. */
export class RateLimit {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_SOURCES });

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** @throws {PurserError} PURSER_OVERLOADED beyond 100 requests at once and 20 a second of one source. */
  count(source: string): void {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(source) ?? { tokens: BURST, atMs: nowMs };
    bucket.tokens = Math.min(BURST, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * PER_SECOND);
    bucket.atMs = nowMs;
    this.#buckets.set(source, bucket);
    if (bucket.tokens < 1)
      throw new PurserError(
        "PURSER_OVERLOADED",
        `${source} asks for more than ${PER_SECOND} certificates a second`,
      );
    bucket.tokens--;
  }
}
