// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A check that waits for its turn. */
export interface QueuedCheck {
  /** Begins the check; `CheckQueue.leave` must follow. */
  run(): void;
}

/**
 * Bounds the number of checks under way, over all clusters: endpoints that do not answer must not take up all
 * sockets. Waiting checks run first in, first out. The queue is as long as there are endpoints at most,
 * since each waits once.
 */
export class CheckQueue {
  readonly #limit: number;
  readonly #waiting = new Set<QueuedCheck>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs the check, now or when another one leaves. */
  enter(check: QueuedCheck): void {
    if (this.#running >= this.#limit) {
      this.#waiting.add(check);
      return;
    }
    this.#running++;
    check.run();
  }

  /** Gives up the place of a check that waits. Does nothing for another one. */
  withdraw(check: QueuedCheck): void {
    this.#waiting.delete(check);
  }

  /** A check that ran is over. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next.run();
  }
}
