// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Scheduler } from "../../../kernel/ports.ts";

/** A clock with its scheduler, and the number of tasks that a closed handler must not leave behind. */
export interface TestTime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Number of scheduled tasks that are neither done nor cancelled. */
  readonly scheduled: number;
}

/** Time that passes only when a test says so. */
export interface VirtualTime extends TestTime {
  /**
   * Lets `durationMs` pass. Due tasks run in order of time, then of scheduling; each sees its own time on the
   * clock. Errors of tasks are thrown here.
   */
  advance(durationMs: number): void;
  /** Like `advance`, but lets promises settle before the first task and after each task. */
  advanceAndSettle(durationMs: number): Promise<void>;
  /** Sets the wall clock only, as an operator or NTP would. */
  setWallClock(epochMs: number): void;
}

interface Task {
  dueMs: number;
  readonly order: number;
  /** undefined for a task that runs once. */
  readonly intervalMs: number | undefined;
  readonly run: () => void;
}

/** More tasks in one step mean that a task reschedules itself for ever. */
const MAX_TASKS_IN_A_STEP = 100_000;

/**
 * Virtual time; the wall clock begins at `epochMs`, default 2026-01-01T00:00:00Z.
 *
 * @param settled Resolves when the work of a task has ended, for tasks that wait for real I/O; default: when every
 *   promise has settled that needs none.
 */
export function createVirtualTime(
  epochMs: number = Date.UTC(2026, 0, 1),
  settled: () => Promise<void> = settle,
): VirtualTime {
  const tasks = new Set<Task>();
  let elapsedMs = 0;
  let wallOffsetMs = epochMs;
  let order = 0;

  const schedule = (delayMs: number, intervalMs: number | undefined, run: () => void): (() => void) => {
    const task: Task = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, intervalMs, run };
    tasks.add(task);
    return () => void tasks.delete(task);
  };

  const nextDue = (untilMs: number): Task | undefined => {
    let next: Task | undefined;
    for (const task of tasks) {
      if (task.dueMs > untilMs) continue;
      if (
        next === undefined ||
        task.dueMs < next.dueMs ||
        (task.dueMs === next.dueMs && task.order < next.order)
      )
        next = task;
    }
    return next;
  };

  const runTask = (task: Task): void => {
    elapsedMs = Math.max(elapsedMs, task.dueMs);
    if (task.intervalMs === undefined) tasks.delete(task);
    else task.dueMs += task.intervalMs;
    task.run();
  };

  function* dueTasks(untilMs: number): Generator<Task> {
    for (let ran = 0; ran <= MAX_TASKS_IN_A_STEP; ran++) {
      const task = nextDue(untilMs);
      if (task === undefined) return;
      yield task;
    }
    throw new Error(`more than ${MAX_TASKS_IN_A_STEP} tasks were due in one step of virtual time`);
  }

  return {
    clock: { nowMs: () => wallOffsetMs + elapsedMs, monotonicMs: () => elapsedMs },
    scheduler: {
      after: (delayMs, task) => schedule(delayMs, undefined, task),
      every: (intervalMs, task) => {
        const period = Math.max(1, intervalMs);
        return schedule(period, period, task);
      },
    },
    get scheduled() {
      return tasks.size;
    },
    advance(durationMs) {
      const untilMs = elapsedMs + durationMs;
      for (const task of dueTasks(untilMs)) runTask(task);
      elapsedMs = untilMs;
    },
    async advanceAndSettle(durationMs) {
      const untilMs = elapsedMs + durationMs;
      await settled();
      for (const task of dueTasks(untilMs)) {
        runTask(task);
        await settled();
      }
      elapsedMs = untilMs;
    },
    setWallClock(wallMs) {
      wallOffsetMs = wallMs - elapsedMs;
    },
  };
}

/** The platform's time, with the number of scheduled tasks. */
export interface RealTime extends TestTime {
  /** Cancels every scheduled task, as the host does with tasks that a closed handler left behind. */
  cancelAll(): void;
}

/** Real time, for tests with real sockets. */
export function createRealTime(): RealTime {
  const pending = new Set<NodeJS.Timeout>();
  return {
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    scheduler: {
      after(delayMs, task) {
        const timer = setTimeout(() => {
          pending.delete(timer);
          task();
        }, delayMs);
        pending.add(timer);
        return () => {
          clearTimeout(timer);
          pending.delete(timer);
        };
      },
      every(intervalMs, task) {
        const timer = setInterval(task, intervalMs);
        pending.add(timer);
        return () => {
          clearInterval(timer);
          pending.delete(timer);
        };
      },
    },
    get scheduled() {
      return pending.size;
    },
    cancelAll() {
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
}

/** Lets every promise settle that needs no I/O and no timer. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
