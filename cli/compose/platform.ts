// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Random, Scheduler } from "../../kernel/ports.ts";

/** The real runtime behind core's ports. */

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemRandom: Random = () => Math.random();

/** Node's longest timer, 24.8 days: it takes a longer one for 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Timers that do not keep the process alive: its servers do, and when they are gone so is the reason to wait. */
export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
  every(intervalMs, task) {
    const timer = setInterval(task, Math.min(intervalMs, MAX_TIMER_MS)).unref();
    return () => clearInterval(timer);
  },
};
