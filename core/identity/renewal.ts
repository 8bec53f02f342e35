// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../../kernel/backoff.ts";
import type { Random } from "../../kernel/ports.ts";

/** The part of its lifetime after which a certificate is renewed. */
const EARLIEST_SHARE = 0.5;
const LATEST_SHARE = 0.7;

/** Limits of the pause between two tries to renew, in milliseconds. */
const RETRY = { minMs: 100, baseMs: 400, maxMs: 30_000 };

/** The part of the time that is left which one pause takes at most: some tries always fit before the end. */
const LARGEST_PAUSE_SHARE = 1 / 8;

/** The times between which a certificate is used, in milliseconds since the Unix epoch. */
export interface Validity {
  /** The time of its issue, which is later than its notBefore. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

/**
 * The time at which to renew a certificate, in milliseconds since the Unix epoch: after 50 to 70 % of its lifetime. The
 * jitter keeps proxies that started together from renewing together; the 30 % that remain are for an authority that is away.
 */
export function renewalTimeMs({ issuedAtMs, notAfterMs }: Validity, random: Random): number {
  const share = EARLIEST_SHARE + random() * (LATEST_SHARE - EARLIEST_SHARE);
  return issuedAtMs + Math.max(0, notAfterMs - issuedAtMs) * share;
}

/**
 * The pause before the next try to renew, in milliseconds: exponential back-off with jitter up to 30 s, and an eighth of the
 * time that is left at most, but 100 ms at least. After the end it is the back-off alone.
 *
 * @param failures Failures so far, 1 or more.
 * @param leftMs Time until the present certificate ends; 0 or less when there is none.
 */
export function retryPauseMs(failures: number, leftMs: number, random: Random): number {
  const pauseMs = backoffMs(Math.min(failures, 16), random, RETRY);
  return leftMs <= 0 ? pauseMs : Math.max(RETRY.minMs, Math.min(pauseMs, leftMs * LARGEST_PAUSE_SHARE));
}
