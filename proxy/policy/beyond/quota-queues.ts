// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Cancel, Scheduler } from "../../../kernel/ports.ts";

/** Longest pause between two tries: an amount may be given back before the store's retry time. */
const MAX_PAUSE_MS = 100;

/** The result of a try by the first request of a queue. */
export type Try<T> =
  /** The request leaves the queue. */
  { readonly kind: "done"; readonly value: T } | { readonly kind: "again"; readonly retryAfterMs: number };

/** How a wait ended. */
export type WaitEnd<T> =
  | { readonly kind: "done"; readonly value: T }
  /** As many requests of the policy wait as may. */
  | { readonly kind: "full" }
  | { readonly kind: "timed out" }
  /** The request is over: its client has gone. */
  | { readonly kind: "left" }
  /** The documents have changed. */
  | { readonly kind: "stale" }
  /** The proxy is closing. */
  | { readonly kind: "closed" };

/** A request that may end while it waits. */
export interface RequestLife {
  readonly finished: boolean;
  onceFinished(callback: () => void): void;
}

export interface Wait<T> {
  /** The count that is waited for. */
  readonly cell: string;
  readonly policy: string;
  /** Most requests of the policy that wait. */
  readonly length: number;
  /** On the monotonic clock. A try that has begun by then is finished. */
  readonly deadlineMs: number;
  /** Time until the first try. */
  readonly retryAfterMs: number;
  readonly life: RequestLife | undefined;
  /** Tries to make the request's charges, when it is the first of its queue. */
  readonly attempt: () => MaybePromise<Try<T>>;
}

/** One request in a queue. */
interface Place {
  readonly policy: string;
  readonly cell: string;
  readonly deadlineMs: number;
  readonly attempt: () => MaybePromise<Try<unknown>>;
  readonly settle: (end: WaitEnd<unknown>) => void;
  readonly fail: (error: unknown) => void;
  readonly cancelDeadline: Cancel;
  /** Why the request leaves when the try under way has failed. */
  leaves: Exclude<WaitEnd<unknown>["kind"], "done" | "full"> | undefined;
}

/** The requests that wait for one count, in order of arrival. */
class CountQueue {
  readonly places = new Set<Place>();
  /** Whether the first request's try is under way. */
  busy = false;
  nextTryMs = 0;
  cancelTry: Cancel | undefined;

  get first(): Place | undefined {
    return this.places.values().next().value;
  }
}

/**
 * The requests of this process that wait for quotas: a queue for each count, first in, first out. Only the
 * first request of a queue tries, so that no other overtakes it; when it is done, the next one tries at once.
 * Bounds: `length` requests of each policy, each until its deadline.
 */
export class QuotaQueues {
  readonly #scheduler: Scheduler;
  readonly #monotonicMs: () => number;
  readonly #queues = new Map<string, CountQueue>();
  /** Number of waiting requests by policy. */
  readonly #waiting = new Map<string, number>();
  #closed = false;

  constructor(scheduler: Scheduler, monotonicMs: () => number) {
    this.#scheduler = scheduler;
    this.#monotonicMs = monotonicMs;
  }

  /** Number of waiting requests. */
  get size(): number {
    let size = 0;
    for (const { places } of this.#queues.values()) size += places.size;
    return size;
  }

  get empty(): boolean {
    return this.#queues.size === 0;
  }

  /** Time until the next try for a count that requests wait for; undefined when none waits. */
  nextTryInMs(cell: string): number | undefined {
    const queue = this.#queues.get(cell);
    return queue && Math.max(0, queue.nextTryMs - this.#monotonicMs());
  }

  /** Rejects only when `attempt` does. */
  wait<T>(wait: Wait<T>): Promise<WaitEnd<T>> {
    const { cell, policy, length, deadlineMs, retryAfterMs, life, attempt } = wait;
    if (this.#closed) return Promise.resolve({ kind: "closed" });
    if (life?.finished === true) return Promise.resolve({ kind: "left" });
    const waiting = this.#waiting.get(policy) ?? 0;
    if (waiting >= length) return Promise.resolve({ kind: "full" });
    this.#waiting.set(policy, waiting + 1);
    return new Promise((resolve, reject) => {
      const place: Place = {
        policy,
        cell,
        deadlineMs,
        attempt,
        settle: (end) => resolve(end as WaitEnd<T>),
        fail: reject,
        cancelDeadline: this.#scheduler.after(Math.max(0, deadlineMs - this.#monotonicMs()), () =>
          this.#leave(place, "timed out"),
        ),
        leaves: undefined,
      };
      life?.onceFinished(() => this.#leave(place, "left"));
      const queue = this.#queues.get(cell) ?? new CountQueue();
      this.#queues.set(cell, queue);
      queue.places.add(place);
      if (queue.places.size === 1) this.#tryLater(queue, retryAfterMs);
    });
  }

  /** Something was given back to a count: its first request tries, at once or when the store knows it. */
  wake(cell: string, afterMs = 0): void {
    const queue = this.#queues.get(cell);
    if (queue === undefined || queue.busy) return;
    if (afterMs === 0) this.#try(queue);
    else this.#tryLater(queue, afterMs);
  }

  /** Ends every wait, since other documents are in force. */
  end(why: "stale" | "closed"): void {
    if (why === "closed") this.#closed = true;
    for (const queue of this.#queues.values()) for (const place of queue.places) this.#leave(place, why);
  }

  /** A try under way is finished first: it may have taken amounts. */
  #leave(place: Place, why: NonNullable<Place["leaves"]>): void {
    const queue = this.#queues.get(place.cell);
    if (queue === undefined || !queue.places.has(place)) return;
    if (queue.busy && queue.first === place) place.leaves = why;
    else this.#settle(queue, place, { kind: why });
  }

  #settle(queue: CountQueue, place: Place, end: WaitEnd<unknown>): void {
    this.#remove(queue, place);
    place.settle(end);
  }

  #remove(queue: CountQueue, place: Place): void {
    const { policy, cell } = place;
    place.cancelDeadline();
    queue.places.delete(place);
    const waiting = (this.#waiting.get(policy) as number) - 1;
    if (waiting === 0) this.#waiting.delete(policy);
    else this.#waiting.set(policy, waiting);
    if (queue.places.size > 0) return;
    queue.cancelTry?.();
    queue.cancelTry = undefined;
    this.#queues.delete(cell);
  }

  #tryLater(queue: CountQueue, delayMs: number): void {
    queue.cancelTry?.();
    queue.nextTryMs = this.#monotonicMs() + delayMs;
    const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(1, Math.ceil(delayMs)));
    queue.cancelTry = this.#scheduler.after(pauseMs, () => this.#try(queue));
  }

  /** Lets the first request try, and after each that is done the next one. */
  #try(queue: CountQueue): void {
    for (;;) {
      const { first } = queue;
      if (first === undefined || queue.busy) return;
      queue.cancelTry?.();
      queue.cancelTry = undefined;
      queue.busy = true;
      let tried: MaybePromise<Try<unknown>>;
      try {
        tried = first.attempt();
      } catch (error) {
        this.#fail(queue, first, error);
        continue;
      }
      if (isPromise(tried)) {
        void tried.then(
          (result) => {
            if (this.#take(queue, first, result)) this.#try(queue);
          },
          (error: unknown) => {
            this.#fail(queue, first, error);
            this.#try(queue);
          },
        );
        return;
      }
      if (!this.#take(queue, first, tried)) return;
    }
  }

  /** @returns Whether the next request is to try now. */
  #take(queue: CountQueue, place: Place, result: Try<unknown>): boolean {
    queue.busy = false;
    if (result.kind === "done") {
      this.#settle(queue, place, result);
      return true;
    }
    const leaves = place.leaves ?? (this.#monotonicMs() >= place.deadlineMs ? "timed out" : undefined);
    if (leaves !== undefined) this.#settle(queue, place, { kind: leaves });
    if (queue.places.size > 0) this.#tryLater(queue, result.retryAfterMs);
    return false;
  }

  #fail(queue: CountQueue, place: Place, error: unknown): void {
    queue.busy = false;
    this.#remove(queue, place);
    place.fail(error);
  }
}
