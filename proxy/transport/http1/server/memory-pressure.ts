// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { getHeapStatistics } from "node:v8";

/** Shares of a limit from which on connections are not kept alive, or refused. */
const STOP_KEEP_ALIVE = 0.95;
const REFUSE_CONNECTIONS = 0.98;

export type MemoryPressure = "none" | "stop-keep-alive" | "refuse-connections";

/** Memory in use, as shares of its limits. */
export interface MemoryUse {
  readonly heapShare: number;
  readonly processShare: number;
}

/** @param limitBytes Limit of the process' resident memory; 0 for the container's. */
export function memoryUse(limitBytes: number): MemoryUse {
  const { used_heap_size: usedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  const processLimitBytes = limitBytes > 0 ? limitBytes : containerLimitBytes();
  return {
    heapShare: usedBytes / heapLimitBytes,
    processShare: processLimitBytes === 0 ? 0 : process.memoryUsage.rss() / processLimitBytes,
  };
}

export function memoryPressureOf({ heapShare, processShare }: MemoryUse): MemoryPressure {
  const share = Math.max(heapShare, processShare);
  if (share >= REFUSE_CONNECTIONS) return "refuse-connections";
  return share >= STOP_KEEP_ALIVE ? "stop-keep-alive" : "none";
}

/** The control group's memory limit; 0 without one, where Node reports 0 or a number near 2^64. */
function containerLimitBytes(): number {
  const limitBytes = process.constrainedMemory();
  return limitBytes > Number.MAX_SAFE_INTEGER ? 0 : limitBytes;
}
