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

/** Resolves with the name of the first signal that asks to stop; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        resolve(signal);
      });
    }
  });
}
