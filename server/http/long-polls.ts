// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import { PurserError } from "../../kernel/errors.ts";
import type { Scheduler } from "../../kernel/ports.ts";

export interface LongPoll<T> {
  /**
   * Calls the listener with the current value, if any, and after each change, until the returned function is
   * called.
   */
  readonly watch: (listener: (value: T) => void) => () => void;
  /** Whether the client does not have this value yet. */
  readonly isNews: (value: T) => boolean;
  /** Longest wait in milliseconds; 0 answers at once. */
  readonly waitMs: number;
  /**
   * The client, such as its address: one source may hold at most a quarter of the polls. Absent: no limit per
   * source.
   */
  readonly source?: string;
  /** Registers the function to call when the client disconnects. */
  readonly onGone: (release: () => void) => void;
}

/** Held long polls. A poll ends with a change, its timeout, the client's disconnect, or the drain. */
export class LongPolls {
  readonly #scheduler: Scheduler;
  readonly #maxPolls: number;
  readonly #held = new Set<() => void>();
  readonly #heldOf = new Map<string, number>();
  #draining = false;

  /**
   * @param maxPolls Maximum number of held polls. One source may hold at most a quarter of them (rounded up),
   * so that one client cannot starve the others. Beyond either limit hold() refuses with PURSER_OVERLOADED.
   */
  constructor(scheduler: Scheduler, maxPolls: number) {
    this.#scheduler = scheduler;
    this.#maxPolls = maxPolls;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /**
   * The first value that the client does not have; undefined when none came in time.
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

  /** @returns Function to call when the poll is over. */
  #count(source: string): () => void {
    this.#heldOf.set(source, (this.#heldOf.get(source) ?? 0) + 1);
    return () => {
      const left = (this.#heldOf.get(source) ?? 1) - 1;
      if (left > 0) this.#heldOf.set(source, left);
      else this.#heldOf.delete(source);
    };
  }

  /** Answers every held poll at once; later polls do not wait. */
  drain(): void {
    this.#draining = true;
    for (const release of this.#held) release();
  }
}

/**
 * Holds a request as a poll of its client's address, at most until the client disconnects.
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
