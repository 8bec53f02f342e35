// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise } from "../../kernel/maybe-promise.ts";

/**
 * An operation to be timed; `turn` counts up, to rotate over inputs. Returns a value, or a promise when it
 * must wait.
 */
export type Operation = (turn: number) => unknown;

/** Receives results, so that no engine can eliminate the work that produces them. */
export interface Sink {
  seen: number;
}

/**
 * Target duration of a batch: long compared with the timer's resolution, short compared with pauses of the
 * host.
 */
const BATCH_MS = 2;
const WARM_UP_SHARE = 0.3;
/** Fewer batches give no meaningful median, whatever the budget. */
const MIN_BATCHES = 5;
const MAX_BATCH_TURNS = 1_000_000;

/** Runs `operation` `turns` times, awaiting only promises. @returns Milliseconds. */
export async function runBatch(
  operation: Operation,
  turns: number,
  from: number,
  sink: Sink,
): Promise<number> {
  const startMs = performance.now();
  for (let turn = from; turn < from + turns; turn++) {
    const result = operation(turn);
    take(sink, isPromise(result) ? await result : result);
  }
  return performance.now() - startMs;
}

function take(sink: Sink, value: unknown): void {
  if (value !== undefined && value !== false) sink.seen++;
}

/**
 * Times operations against each other in one process: each is warmed up, then their batches alternate, so
 * that a slow moment of the host affects all of them.
 *
 * @param budgetMs Time for all operations together; exceeded when even the fewest batches take longer.
 * @returns The median of the batches of each operation, in nanoseconds per turn.
 */
export async function measureAlternating(
  operations: readonly Operation[],
  budgetMs: number,
  sink: Sink,
): Promise<readonly number[]> {
  const startMs = performance.now();
  const timed: { operation: Operation; turns: number; turn: number; batchesNs: number[] }[] = [];
  for (const operation of operations) {
    const warmed = await warmUp(operation, (budgetMs * WARM_UP_SHARE) / operations.length, sink);
    timed.push({ operation, ...warmed, batchesNs: [] });
  }
  for (let batch = 0; batch < MIN_BATCHES || performance.now() - startMs < budgetMs; batch++) {
    for (const one of timed) {
      const tookMs = await runBatch(one.operation, one.turns, one.turn, sink);
      one.turn += one.turns;
      one.batchesNs.push((tookMs * 1e6) / one.turns);
    }
  }
  return timed.map(({ batchesNs }) => quantile(batchesNs, 0.5));
}

/** Doubles the batch until it is long enough to be timed, and continues for `forMs`. */
async function warmUp(
  operation: Operation,
  forMs: number,
  sink: Sink,
): Promise<{ readonly turns: number; readonly turn: number }> {
  const endMs = performance.now() + forMs;
  let turns = 1;
  let turn = 0;
  do {
    const tookMs = await runBatch(operation, turns, turn, sink);
    turn += turns;
    if (tookMs < BATCH_MS / 2 && turns < MAX_BATCH_TURNS) turns *= 2;
    else if (tookMs > BATCH_MS * 2 && turns > 1) turns = Math.ceil(turns / 2);
  } while (performance.now() < endMs);
  return { turns, turn };
}

/** The nearest-rank quantile: the value that `share` of `values` do not exceed; NaN for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
