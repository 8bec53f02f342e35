// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Scheduler } from "../../kernel/ports.ts";

/** Time that passes when the test says so. */
export class VirtualTime implements Clock, Scheduler {
  now = 1_000;
  readonly tasks = new Map<() => void, number>();

  nowMs(): number {
    return this.now;
  }
  monotonicMs(): number {
    return this.now;
  }
  after(delayMs: number, task: () => void): () => void {
    const run = (): void => task();
    this.tasks.set(run, this.now + delayMs);
    return () => this.tasks.delete(run);
  }
  every(_intervalMs: number, _task: () => void): () => void {
    throw new Error("no task under test is periodic");
  }
  pass(durationMs: number): void {
    const until = this.now + durationMs;
    for (;;) {
      const [next] = [...this.tasks].filter(([, at]) => at <= until).toSorted(([, a], [, b]) => a - b);
      if (next === undefined) break;
      this.now = Math.max(this.now, next[1]);
      this.tasks.delete(next[0]);
      next[0]();
    }
    this.now = until;
  }
}
