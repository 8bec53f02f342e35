// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../core/kernel/ports.ts";

/** Something that was started and must be stopped; parts are stopped in the reverse order of their start. */
export interface RunningPart {
  readonly name: string;
  /** Ends within about `deadlineMs`; what is under way may finish meanwhile. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}

/** Stops the parts, last started first, each within what is left of the deadline. Never rejects: stopping goes on. */
export async function stopAll(
  parts: readonly RunningPart[],
  deadlineMs: number,
  logger: Logger,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (const part of parts.toReversed()) {
    try {
      await part.close(Math.max(0, endMs - performance.now()));
    } catch (error) {
      logger.warn("part did not stop cleanly", { part: part.name, error: String(error) });
    }
  }
}

/**
 * npm passes on a Ctrl-C that the terminal has already given to every process of the group: a signal this soon after the
 * first is the same wish.
 */
const SAME_WISH_MS = 500;

/** Resolves with the first signal that asks to stop; a later one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAtMs: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        const nowMs = performance.now();
        askedAtMs ??= nowMs;
        if (nowMs - askedAtMs > SAME_WISH_MS) process.exit(130);
        resolve(signal);
      });
    }
  });
}
