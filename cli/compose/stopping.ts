// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:os";
import type { Writable } from "node:stream";
import { messageOf } from "../../kernel/errors.ts";
import type { Logger } from "../../kernel/ports.ts";

/** A started part that must be stopped; parts are stopped in reverse order of their start. */
export interface RunningPart {
  readonly name: string;
  /** Stops within about `deadlineMs`, in which work under way may finish. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Reserve at the end of the deadline for late parts and unwritten output: an eighth of it, at most 100 ms.
 */
const RESERVE_SHARE = 1 / 8;
const RESERVE_MAX_MS = 100;
/** Time that parts get to release their ports even when the deadline is 0. */
const LEAST_MS = 100;

/**
 * Stops the parts in reverse order of their start, each within the time that is left, then waits until
 * standard output and standard error are written. A part that is not closed at the deadline is abandoned.
 * Never rejects, and never takes longer than `deadlineMs` (or 100 ms, if that is longer).
 */
export async function stopAll(
  parts: readonly RunningPart[],
  deadlineMs: number,
  logger: Logger,
  outputs: readonly Writable[] = [process.stdout, process.stderr],
): Promise<void> {
  const startMs = performance.now();
  const partsEndMs = startMs + deadlineMs - Math.min(RESERVE_MAX_MS, deadlineMs * RESERVE_SHARE);
  const endMs = startMs + Math.max(LEAST_MS, deadlineMs);
  const until = (timeMs: number): number => Math.max(0, timeMs - performance.now());
  for (const part of parts.toReversed()) {
    try {
      if (!(await within(until(endMs), part.close(until(partsEndMs)))))
        logger.warn("a part did not stop in time and is abandoned", { part: part.name });
    } catch (error) {
      logger.warn("a part did not stop cleanly", { part: part.name, error: messageOf(error) });
    }
  }
  // The second half of the reserve is for the exit itself.
  await within(until((partsEndMs + endMs) / 2), Promise.all(outputs.map(written)));
  // Only the exit remains. Even if it takes long, a signal must end the process without JavaScript.
  leaveSignalsToSystem();
}

/** Whether `work` finished in time. Rejects as `work` does. The timer keeps the process alive meanwhile. */
async function within(durationMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), durationMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when everything written to the stream is flushed, or the stream is broken. */
function written(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => void stream.write("", () => resolve()));
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * npm forwards a signal that the terminal or supervisor has already sent to every process of the group: a
 * second signal this soon after the first is a duplicate.
 */
const SAME_SIGNAL_MS = 100;

/** Resolves with the first stop signal; a later signal ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        if (asked) return;
        asked = true;
        setTimeout(leaveSignalsToSystem, SAME_SIGNAL_MS).unref();
        resolve(signal);
      });
    }
  });
}

/**
 * Restores the system's default action, so that the next signal ends the process whatever JavaScript does.
 * The kernel has no default action for process 1 of a container, so there the process exits itself.
 */
function leaveSignalsToSystem(): void {
  for (const signal of STOP_SIGNALS) {
    process.removeAllListeners(signal);
    if (process.pid === 1) process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}
