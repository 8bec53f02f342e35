// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../../kernel/backoff.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Cancel, Runtime } from "../../kernel/ports.ts";
import type { NameAnswer, NameLookup } from "./name-lookup.ts";

/** Istio's `dnsRefreshRate`: for answers that give no TTL. */
const REFRESH_MS = 60_000;

/** An answer with TTL 0 is asked for again after this time; Envoy waits its refresh rate. */
const MIN_REFRESH_MS = 1_000;

/** The owner of a name who sets a TTL of days by mistake is followed within an hour. */
const MAX_REFRESH_MS = 3_600_000;

/** Pauses after a failure, or an answer without addresses: 1 s to 2 s at first, at most a minute. */
const RETRY = { minMs: 1_000, baseMs: 1_000, maxMs: 60_000 } as const;

/** Further names wait. A slow server then delays names, but is not flooded. */
const MAX_LOOKUPS = 16;

/** Time for all queries of one lookup. */
const LOOKUP_DEADLINE_MS = 5_000;

interface Watched {
  readonly name: string;
  /** Undefined before the first answer. */
  addresses: readonly string[] | undefined;
  /** Whether a first answer or failure has come. */
  isSettled: boolean;
  /** Failures, and answers without addresses, since the last address. */
  failures: number;
  cancelRefresh: Cancel | undefined;
}

/**
 * The current addresses of names, which are looked up again when their TTL has passed. A name that cannot be
 * looked up keeps its last addresses; a name that no longer exists has none, as in Envoy.
 */
export class NameWatch {
  readonly #lookUp: NameLookup;
  readonly #runtime: Runtime;
  readonly #onAnswer: () => void;
  readonly #names = new Map<string, Watched>();
  /** The names that wait for a lookup, in order. */
  readonly #due = new Set<Watched>();
  #running = 0;
  #unsettled = 0;

  /** @param onAnswer Called when a name has got its first answer or failure, or other addresses. */
  constructor(lookUp: NameLookup, runtime: Runtime, onAnswer: () => void) {
    this.#lookUp = lookUp;
    this.#runtime = runtime;
    this.#onAnswer = onAnswer;
  }

  /** Whether every name has had an answer or a failure. */
  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  /** The addresses in the order of the newest answer; empty when none are known. */
  addressesOf(name: string): readonly string[] {
    return this.#names.get(name)?.addresses ?? [];
  }

  /** Watches these names and no others. */
  watch(names: ReadonlySet<string>): void {
    for (const watched of this.#names.values()) if (!names.has(watched.name)) this.#forget(watched);
    for (const name of names) {
      if (this.#names.has(name)) continue;
      const watched: Watched = {
        name,
        addresses: undefined,
        isSettled: false,
        failures: 0,
        cancelRefresh: undefined,
      };
      this.#names.set(name, watched);
      this.#unsettled++;
      this.#due.add(watched);
    }
    this.#startDue();
  }

  /** Forgets every name. Answers of lookups under way are ignored. */
  close(): void {
    this.watch(new Set());
  }

  #forget(watched: Watched): void {
    watched.cancelRefresh?.();
    this.#names.delete(watched.name);
    this.#due.delete(watched);
    if (!watched.isSettled) this.#unsettled--;
  }

  #startDue(): void {
    for (const watched of this.#due) {
      if (this.#running >= MAX_LOOKUPS) return;
      this.#due.delete(watched);
      this.#running++;
      void this.#ask(watched);
    }
  }

  async #ask(watched: Watched): Promise<void> {
    const { name } = watched;
    let answer: NameAnswer | Error;
    try {
      answer = await withDeadline(
        this.#runtime.scheduler,
        LOOKUP_DEADLINE_MS,
        (call) => this.#lookUp(name, call),
        () => new Error(`no answer within ${LOOKUP_DEADLINE_MS} ms`),
      );
    } catch (error) {
      answer = error instanceof Error ? error : new Error(messageOf(error));
    }
    this.#running--;
    if (this.#names.get(name) === watched) this.#take(watched, answer);
    this.#startDue();
  }

  #take(watched: Watched, answer: NameAnswer | Error): void {
    const { random, scheduler } = this.#runtime;
    const before = watched.addresses;
    const wasSettled = watched.isSettled;
    this.#note(watched, answer);
    if (!wasSettled) {
      watched.isSettled = true;
      this.#unsettled--;
    }
    const pauseMs =
      answer instanceof Error || answer.addresses.length === 0
        ? backoffMs(watched.failures, random, RETRY)
        : Math.min(Math.max(answer.ttlMs ?? REFRESH_MS, MIN_REFRESH_MS), MAX_REFRESH_MS);
    watched.cancelRefresh = scheduler.after(pauseMs, () => {
      this.#due.add(watched);
      this.#startDue();
    });
    if (!wasSettled || watched.addresses !== before) this.#onAnswer();
  }

  /** Each outage of a name is logged once. */
  #note(watched: Watched, answer: NameAnswer | Error): void {
    const { logger } = this.#runtime;
    const { name, failures } = watched;
    if (answer instanceof Error) {
      watched.failures++;
      const kept = watched.addresses?.length ?? 0;
      if (failures === 0) logger.warn("a name cannot be looked up", { name, kept, error: answer.message });
      return;
    }
    const { addresses } = answer;
    if (!isSameList(watched.addresses, addresses)) watched.addresses = addresses;
    if (addresses.length > 0) {
      watched.failures = 0;
      if (failures > 0) logger.info("a name has addresses again", { name });
      return;
    }
    watched.failures++;
    if (failures === 0) logger.warn("a name has no address", { name });
  }
}

function isSameList(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && a.every((address, index) => address === b[index]);
}
