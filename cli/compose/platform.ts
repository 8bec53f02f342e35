// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Random, Scheduler } from "../../kernel/ports.ts";

/** The platform's implementation of core's ports. */

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemRandom: Random = () => Math.random();

/** Node's longest timer, 24.8 days: longer ones fire after 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Unreferenced timers: a process ends when its servers are closed, whatever is still scheduled. */
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
