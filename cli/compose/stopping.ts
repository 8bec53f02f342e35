// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:os";
import type { Writable } from "node:stream";
import { messageOf } from "../../kernel/errors.ts";
import type { Logger } from "../../kernel/ports.ts";

/** Something that was started and must be stopped; parts are stopped in the reverse order of their start. */
export interface RunningPart {
  readonly name: string;
  /** Ends within about `deadlineMs`; what is under way may finish meanwhile. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}

/** The end of the deadline is kept for parts that are late and for output not yet written: an eighth, 100 ms at most. */
const RESERVE_SHARE = 1 / 8;
const RESERVE_MAX_MS = 100;
/** The time that parts have to release their ports even when the deadline is 0. */
const LEAST_MS = 100;

/**
 * Stops the parts, last started first, each within the time that is left, then waits until standard output and standard
 * error are written. A part that is not closed at the deadline is left behind. Never rejects, and never takes longer
 * than `deadlineMs` (or 100 ms, if that is longer).
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
        logger.warn("a part did not stop in time and is left behind", { part: part.name });
    } catch (error) {
      logger.warn("a part did not stop cleanly", { part: part.name, error: messageOf(error) });
    }
  }
  // The other half of the reserve is for the exit itself.
  await within(until((partsEndMs + endMs) / 2), Promise.all(outputs.map(written)));
  // From here on the process only exits. Should even that take long, a signal must not wait for JavaScript.
  leaveSignalsToSystem();
}

/** Whether `work` was done in time. Rejects as `work` does. The timer keeps the process alive meanwhile. */
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

/** Resolves when the stream has passed on everything written to it, or is broken. */
function written(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => void stream.write("", () => resolve()));
}

/**
 * Has the log name a rejected promise that nobody waits for, in place of ending the process: an extension that forgets one
 * must hurt no request. What failed with it stays failed.
 */
export function surviveRejections(logger: Logger): void {
  process.on("unhandledRejection", (reason) => {
    logger.error("a promise was rejected and nobody waited for it: a fault of an extension, or of Purser", {
      error: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
    });
  });
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * npm passes on a signal that the terminal or the supervisor has already given to every process of the group: a signal
 * this soon after the first is the same one.
 */
const SAME_SIGNAL_MS = 100;

/** Resolves with the first signal that asks to stop; a later one ends the process at once. */
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
 * The next signal ends the process by the system's own rule, whatever JavaScript does then. The first process of a
 * container is spared by that rule: it exits by itself.
 */
function leaveSignalsToSystem(): void {
  for (const signal of STOP_SIGNALS) {
    process.removeAllListeners(signal);
    if (process.pid === 1) process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}
