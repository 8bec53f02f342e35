// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { GCProfiler, getHeapStatistics } from "node:v8";
import { type Operation, runBatch, type Sink } from "./timing.ts";

export interface Allocation {
  /** JavaScript heap allocated by one turn, in bytes, whether or not it has been freed since. */
  readonly bytesPerTurn: number;
  /** Number of garbage collections during the run. */
  readonly collections: number;
}

/**
 * Measures the bytes that one turn allocates: the growth of the heap over `turns`, plus the bytes freed by
 * garbage collections meanwhile. Memory outside the JavaScript heap, such as buffers, is not counted.
 */
export async function measureAllocation(
  operation: Operation,
  turns: number,
  sink: Sink,
): Promise<Allocation> {
  const profiler = new GCProfiler();
  profiler.start();
  const beforeBytes = getHeapStatistics().used_heap_size;
  await runBatch(operation, turns, 0, sink);
  const grownBytes = getHeapStatistics().used_heap_size - beforeBytes;
  const { statistics } = profiler.stop();
  const freedBytes = statistics
    .map(
      ({ beforeGC, afterGC }) => beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
    )
    .reduce((sum, bytes) => sum + bytes, 0);
  return { bytesPerTurn: Math.max(0, (grownBytes + freedBytes) / turns), collections: statistics.length };
}
