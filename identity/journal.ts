// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import type { JournalEntry, StateStore } from "./state/state.ts";

/** Most certificates that have not ended. */
const MAX_LIVE = 100_000;

/** Lines of ended certificates that the file may have before it is written anew. */
const MAX_DEAD_LINES = 10_000;

interface Live {
  readonly entry: JournalEntry;
  /** The bundle version that the certificate's holder applies; undefined when it is not known. */
  acknowledged: string | undefined;
  /** Whether its holder uses a newer certificate. */
  isReplaced: boolean;
}

/**
 * The certificates that have not ended. A rotation waits for their holders, and a revocation names them. What their holders
 * apply is not kept over a restart: they tell it with their next poll.
 */
export class Journal {
  readonly #store: StateStore;
  readonly #live = new Map<string, Live>();
  #lines = 0;
  #writing: Promise<void> = Promise.resolve();
  /**
   * Until then there may be certificates that the journal does not know, because its file was lost; in milliseconds since
   * the Unix epoch.
   */
  #unknownUntilMs = 0;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /**
   * @param isFirstStart Whether there was no state before.
   * @param lifetimeMs Of certificates whose entries are lost.
   * @throws {PurserError} PURSER_IDENTITY_STATE.
   */
  async load(isFirstStart: boolean, nowMs: number, lifetimeMs: number): Promise<void> {
    const entries = await this.#store.loadJournal();
    if (entries === undefined && !isFirstStart) this.#unknownUntilMs = nowMs + lifetimeMs;
    for (const entry of entries ?? []) if (entry.notAfterMs >= nowMs) this.#add(entry, undefined);
    await this.#rewrite();
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /**
   * Records a certificate before it is sent.
   *
   * @param bundleVersion The bundle that is sent with it.
   * @throws {PurserError} PURSER_OVERLOADED beyond 100,000 live certificates, PURSER_IDENTITY_STATE.
   */
  async record(entry: JournalEntry, bundleVersion: string): Promise<void> {
    if (this.#live.size >= MAX_LIVE)
      throw new PurserError("PURSER_OVERLOADED", `${MAX_LIVE} certificates have not ended already`);
    this.#add(entry, bundleVersion);
    this.#lines++;
    const written = this.#inTurn(() => this.#store.appendJournal(entry));
    await written;
  }

  /** Notes that the holder of a certificate uses it, and applies a bundle. */
  acknowledge(serial: string, bundleVersion: string | undefined): void {
    const live = this.#live.get(serial);
    if (live === undefined) return;
    if (bundleVersion !== undefined) live.acknowledged = bundleVersion;
    const { previous: renewed } = live.entry;
    const previous = renewed === undefined ? undefined : this.#live.get(renewed);
    if (previous !== undefined) previous.isReplaced = true;
  }

  /** Number of live certificates in use whose holders do not apply a bundle. */
  notApplying(bundleVersion: string, nowMs: number): number {
    return this.#countOf(nowMs, ({ acknowledged }) => acknowledged !== bundleVersion);
  }

  /** Number of live certificates in use that a signer has signed. */
  signedBy(signer: string, nowMs: number): number {
    return this.#countOf(nowMs, ({ entry }) => entry.signer === signer);
  }

  /** The live certificates of an identity. */
  of(spiffeId: string): readonly JournalEntry[] {
    return [...this.#live.values()].flatMap(({ entry }) => (entry.spiffeId === spiffeId ? [entry] : []));
  }

  /** Forgets certificates that have ended, and keeps the file short. */
  prune(nowMs: number): void {
    for (const [serial, { entry }] of this.#live) if (entry.notAfterMs < nowMs) this.#live.delete(serial);
    if (this.#lines > this.#live.size + MAX_DEAD_LINES) void this.#rewrite().catch(() => {});
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #add(entry: JournalEntry, acknowledged: string | undefined): void {
    this.#live.set(entry.serial, { entry, acknowledged, isReplaced: false });
  }

  #countOf(nowMs: number, is: (live: Live) => boolean): number {
    let count = this.#unknownUntilMs > nowMs ? 1 : 0;
    for (const live of this.#live.values())
      if (live.entry.notAfterMs >= nowMs && !live.isReplaced && is(live)) count++;
    return count;
  }

  #rewrite(): Promise<void> {
    this.#lines = this.#live.size;
    return this.#inTurn(() => this.#store.saveJournal([...this.#live.values()].map(({ entry }) => entry)));
  }

  /** One write at a time: lines that are appended while the file is replaced would be lost. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const written = this.#writing.then(write);
    this.#writing = written.catch(() => {});
    return written;
  }
}
