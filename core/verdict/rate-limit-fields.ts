// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { numberText } from "../../kernel/number-text.ts";
import type { QuotaOfStanding, QuotaStanding } from "../quota/standing.ts";

/** Field values of RateLimit-Policy and RateLimit. */
export interface RateLimitFields {
  readonly policy: string;
  readonly standing: string;
}

/** An exceeded quota, and the time until the same request may succeed. */
export interface ExhaustedQuota {
  readonly policy: string;
  readonly retryAfterS: number;
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: structured field lists (RFC
 * 9651) with one member for each quota, named by its policy. `t` is the time until more is available; for an
 * exhausted quota it equals Retry-After, which should not be earlier (section 6). Partition keys (`pk`) are
 * left out: the keys of quotas are often personal data, such as addresses and user names.
 */
export function rateLimitFields(
  quotas: readonly QuotaStanding[],
  exhausted?: ExhaustedQuota,
): RateLimitFields {
  const prepared = new PreparedRateLimit(quotas);
  const numbers = quotas.flatMap(({ remaining, resetMs }) => [remaining, resetMs]);
  return { policy: prepared.policy, standing: prepared.standing(numbers, exhausted) };
}

/**
 * The part of both fields that the same quotas have in every response, written once: a general serializer of
 * structured fields takes 15 µs for the two fields of three quotas, concatenation 0.2 µs.
 */
export class PreparedRateLimit {
  /** Value of RateLimit-Policy. */
  readonly policy: string;
  readonly #policies: readonly string[];
  /** Text before the first quota's remainder, and after each quota's time: the next quota's name. */
  readonly #starts: readonly string[];
  /** The text between two remainders, which changes once a second: for each quota its time and the text. */
  readonly #seconds: number[];
  readonly #joints: string[];

  constructor(quotas: readonly QuotaOfStanding[]) {
    const names = quotas.map(({ policy }) => fieldString(policy));
    this.policy = quotas
      .map(({ limit, windowMs, unit }, index) => {
        const inUnit = unit === undefined ? "" : `;qu="${unit}"`;
        // An allocation has no window, and the draft leaves `w` open.
        const window = windowMs === 0 ? "" : `;w=${wholeSeconds(windowMs)}`;
        return `${names[index] as string};q=${wholeNumber(limit)}${inUnit}${window}`;
      })
      .join(", ");
    this.#policies = quotas.map(({ policy }) => policy);
    this.#starts = [...names.map((name, index) => `${index === 0 ? "" : ", "}${name};r=`), ""];
    this.#seconds = quotas.map(() => -1);
    this.#joints = quotas.map(() => "");
  }

  /**
   * Value of RateLimit.
   *
   * @param numbers `remaining` and `resetMs` of each quota, in order.
   */
  standing(numbers: readonly number[], exhausted?: ExhaustedQuota): string {
    const count = this.#policies.length;
    let text = this.#starts[0] as string;
    for (let index = 0; index < count; index++) {
      const seconds =
        exhausted !== undefined && exhausted.policy === this.#policies[index]
          ? exhausted.retryAfterS
          : wholeSeconds(numbers[2 * index + 1] as number);
      text += numberText(wholeNumber(numbers[2 * index] as number)) + this.#joint(index, seconds);
    }
    return text;
  }

  #joint(index: number, seconds: number): string {
    if (this.#seconds[index] !== seconds) {
      this.#seconds[index] = seconds;
      this.#joints[index] = `;t=${seconds}${this.#starts[index + 1] as string}`;
    }
    return this.#joints[index] as string;
  }
}

/** Whole seconds for Retry-After, at least 1: with 0 a client would retry at once. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, wholeSeconds(retryAfterMs));
}

/** Whole seconds for a duration in milliseconds, rounded up. */
export function wholeSeconds(durationMs: number): number {
  return wholeNumber(Math.ceil(durationMs / 1000));
}

/** Integers of structured fields have at most 15 digits (RFC 9651, section 3.3.1). */
export function wholeNumber(value: number): number {
  return Math.min(999_999_999_999_999, Math.max(0, Math.floor(value)));
}

/** A structured field's string: printable ASCII between quotes (RFC 9651, sections 3.3.3 and 4.1.6). */
function fieldString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
