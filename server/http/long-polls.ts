// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import { PurserError } from "../../kernel/errors.ts";
import type { Scheduler } from "../../kernel/ports.ts";

export interface LongPoll<T> {
  /** Calls its listener with the value now, when there is one, and after each change, until stopped. */
  readonly watch: (listener: (value: T) => void) => () => void;
  /** Whether it is another than the client has. */
  readonly isNews: (value: T) => boolean;
  /** How long the client waits at most; 0 for not at all. */
  readonly waitMs: number;
  /** Who asks, such as an address: of one source a quarter of the polls may be held. Absent: not bounded apart. */
  readonly source?: string;
  /** Is given what to call when the client goes away. */
  readonly onGone: (release: () => void) => void;
}

/** The requests that wait for a change. Each ends with the change, its wait, its client's going, or the drain. */
export class LongPolls {
  readonly #scheduler: Scheduler;
  readonly #maxPolls: number;
  readonly #held = new Set<() => void>();
  readonly #heldOf = new Map<string, number>();
  #draining = false;

  /**
   * @param maxPolls How many may wait at once, and a quarter of them (rounded up) of one source: one client must not keep all
   * others from waiting. Beyond it hold() refuses with PURSER_OVERLOADED.
   */
  constructor(scheduler: Scheduler, maxPolls: number) {
    this.#scheduler = scheduler;
    this.#maxPolls = maxPolls;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /**
   * The first value that is news; undefined when none came in time.
   *
   * @throws {PurserError} PURSER_OVERLOADED.
   */
  hold<T>({ watch, isNews, waitMs, source, onGone }: LongPoll<T>): Promise<T | undefined> {
    if (this.#held.size >= this.#maxPolls) {
      throw new PurserError("PURSER_OVERLOADED", `${this.#maxPolls} polls are held already`);
    }
    const maxOfSource = Math.ceil(this.#maxPolls / 4);
    if (source !== undefined && (this.#heldOf.get(source) ?? 0) >= maxOfSource) {
      throw new PurserError("PURSER_OVERLOADED", `${maxOfSource} polls of this client are held already`);
    }
    return new Promise((resolve) => {
      const cleanUps: (() => void)[] = [];
      let settled = false;
      const settle = (news: T | undefined): void => {
        settled = true;
        for (const cleanUp of cleanUps) cleanUp();
        resolve(news);
      };
      const release = (): void => settle(undefined);
      // The listener may be called before watch() returns, when there is nothing to clean up yet.
      const stop = watch((value) => {
        if (!settled && isNews(value)) settle(value);
      });
      if (settled) return stop();
      cleanUps.push(stop);
      if (waitMs === 0 || this.#draining) return release();
      this.#held.add(release);
      cleanUps.push(this.#scheduler.after(waitMs, release), () => this.#held.delete(release));
      if (source !== undefined) cleanUps.push(this.#count(source));
      onGone(release);
    });
  }

  /** @returns What to call when the poll is over. */
  #count(source: string): () => void {
    this.#heldOf.set(source, (this.#heldOf.get(source) ?? 0) + 1);
    return () => {
      const left = (this.#heldOf.get(source) ?? 1) - 1;
      if (left > 0) this.#heldOf.set(source, left);
      else this.#heldOf.delete(source);
    };
  }

  /** Answers every held poll at once; later ones do not wait. */
  drain(): void {
    this.#draining = true;
    for (const release of this.#held) release();
  }
}

/**
 * Holds a request as a poll of its client's address, until the client goes away at the latest.
 *
 * @returns The first value that is news; undefined when none came in time.
 * @throws {PurserError} PURSER_OVERLOADED.
 */
export function holdRequest<T>(
  polls: LongPolls,
  context: Context,
  poll: Pick<LongPoll<T>, "watch" | "isNews" | "waitMs">,
): Promise<T | undefined> {
  return polls.hold({
    ...poll,
    source: context.req.socket.remoteAddress ?? "",
    onGone: (release) => context.res.once("close", release),
  });
}
