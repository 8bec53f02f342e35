// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scheduler } from "../../../../kernel/ports.ts";

/** The first of two turns may have read its sockets before it was counted. */
const QUIET_TURNS = 2;

/**
 * Resolves when the event loop accepts no further connection, or after `limitMs`. The kernel makes a client's connection
 * before the process accepts it, and resets those that wait when the listening socket is closed; libuv accepts one in
 * each turn.
 *
 * @param accepted Number of connections accepted so far.
 */
export function untilNoneWaits(accepted: () => number, scheduler: Scheduler, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    let quietTurns = 0;
    let count = accepted();
    const cancel = scheduler.after(limitMs, () => {
      isOver = true;
      resolve();
    });
    const onTurn = (): void => {
      if (isOver) return;
      quietTurns = accepted() === count ? quietTurns + 1 : 0;
      count = accepted();
      if (quietTurns < QUIET_TURNS) {
        setImmediate(onTurn);
        return;
      }
      cancel();
      resolve();
    };
    setImmediate(onTurn);
  });
}
