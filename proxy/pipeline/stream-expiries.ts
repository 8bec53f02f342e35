// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Linked, LinkedList, UNLISTED } from "../../kernel/linked-list.ts";
import type { Cancel, Runtime } from "../../kernel/ports.ts";

/** The kinds of credentials under which a stream is opened. */
export type CredentialKind = "certificate" | "token";

/** The end of the first credential that expires. */
export interface CredentialExpiry {
  readonly credential: CredentialKind;
  /** Milliseconds since the Unix epoch. The credential is invalid from this moment on. */
  readonly atEpochMs: number;
}

/** A stream that is closed when a credential of its client expires. */
export interface ExpiringStream {
  readonly expiry: CredentialExpiry | undefined;
  /** The field of `StreamExpiries`, undefined in the beginning. */
  expiringEntry: ExpiringEntry | undefined;
  expire(expiry: CredentialExpiry): void;
}

/** A stream in the list of those that expire at the same time. */
export interface ExpiringEntry extends Linked<ExpiringEntry> {
  readonly stream: ExpiringStream;
}

/**
 * Longest pause between two looks at the wall clock, in milliseconds. The wall clock may be set, so one long timer would
 * come too late: with this pause, a stream is closed at most 500 ms after its expiry, whatever the clock did.
 */
const LOOK_MS = 500;

/** Longest turn of the event loop that goes into closing streams, in milliseconds. */
const MAX_SLICE_MS = 10;

/**
 * Closes streams when their credentials expire. All streams share one timer, which runs only while there are such streams.
 * Streams are grouped by the millisecond of their expiry: `exp` and `notAfter` are whole seconds, so groups are few.
 */
export class StreamExpiries {
  /** Number of closed streams by the credential that expired. */
  readonly counts: Record<CredentialKind, number> = { certificate: 0, token: 0 };
  readonly #runtime: Pick<Runtime, "clock" | "scheduler" | "logger">;
  readonly #groups = new Map<number, LinkedList<ExpiringEntry>>();
  /** No group expires earlier. A removed group may leave it too early, which costs one look at all groups. */
  #earliestEpochMs = Infinity;
  #cancel: Cancel | undefined;
  #closed = false;

  constructor(runtime: Pick<Runtime, "clock" | "scheduler" | "logger">) {
    this.#runtime = runtime;
  }

  /** Does nothing for a stream without an expiry. The expiry must not change until `remove`. */
  add(stream: ExpiringStream): void {
    const { expiry } = stream;
    if (expiry === undefined || this.#closed) return;
    const { atEpochMs } = expiry;
    let group = this.#groups.get(atEpochMs);
    if (group === undefined) this.#groups.set(atEpochMs, (group = new LinkedList()));
    const entry: ExpiringEntry = { ...UNLISTED, stream };
    stream.expiringEntry = entry;
    group.pushLast(entry);
    this.#earliestEpochMs = Math.min(this.#earliestEpochMs, atEpochMs);
    if (this.#cancel === undefined) this.#arm();
  }

  remove(stream: ExpiringStream): void {
    const { expiry, expiringEntry: entry } = stream;
    if (expiry === undefined || entry?.isListed !== true) return;
    const group = this.#groups.get(expiry.atEpochMs);
    if (group === undefined) return;
    group.remove(entry);
    if (group.size > 0) return;
    this.#groups.delete(expiry.atEpochMs);
    // The timer goes on until its next look, so that short calls do not start and cancel one each.
    if (this.#groups.size === 0) this.#earliestEpochMs = Infinity;
  }

  /** Closes no stream from now on. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#groups.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Arms the timer for the earliest expiry, at most one pause ahead. */
  #arm(): void {
    const { clock, scheduler } = this.#runtime;
    const inMs = Math.ceil(this.#earliestEpochMs - clock.nowMs());
    this.#cancel = scheduler.after(Math.max(0, Math.min(LOOK_MS, inMs)), () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    if (this.#runtime.clock.nowMs() >= this.#earliestEpochMs) this.#closeExpired();
    if (this.#groups.size > 0 && !this.#closed) this.#arm();
  }

  /** Closes expired streams for a slice of time. `#earliestEpochMs` has passed afterwards when some are left. */
  #closeExpired(): void {
    const { clock, logger } = this.#runtime;
    const nowEpochMs = clock.nowMs();
    const sliceMs = clock.monotonicMs();
    const before = { ...this.counts };
    let isDone = true;
    let earliestEpochMs = Infinity;
    for (const [atEpochMs, group] of this.#groups) {
      if (atEpochMs <= nowEpochMs && isDone) {
        for (let entry = group.first; entry !== undefined && isDone; entry = group.first) {
          group.remove(entry);
          this.#expire(entry.stream);
          isDone = clock.monotonicMs() - sliceMs < MAX_SLICE_MS;
        }
        if (group.size === 0) {
          this.#groups.delete(atEpochMs);
          continue;
        }
      }
      earliestEpochMs = Math.min(earliestEpochMs, atEpochMs);
    }
    this.#earliestEpochMs = earliestEpochMs;
    const certificate = this.counts.certificate - before.certificate;
    const token = this.counts.token - before.token;
    if (certificate + token > 0)
      logger.info("open streams were closed, since a credential of their clients expired", {
        certificate,
        token,
      });
  }

  #expire(stream: ExpiringStream): void {
    const { expiry } = stream;
    if (expiry === undefined) return;
    this.counts[expiry.credential]++;
    stream.expire(expiry);
  }
}
