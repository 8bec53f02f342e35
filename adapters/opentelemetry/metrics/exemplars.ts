// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../../../plugins/sdk/index.ts";
import { isSpanId, isTraceId } from "../ids.ts";

/** A measurement of one sampled request, for its data point (opentelemetry-proto, message Exemplar). */
export interface PointExemplar {
  /** The 16 bytes of the trace id, then the 8 bytes of the span id. */
  readonly ids: Uint8Array;
  readonly value: number;
  readonly timestampMs: number;
}

/** An exemplar stays for so long, since each new one costs a copy of its ids. */
const KEEP_MS = 1_000;

/** The exemplars of one series since the last push: the newest of each slot, such as a bucket. */
export class Exemplars {
  #slots: (PointExemplar | undefined)[] = [];

  /** Keeps the instance's exemplar, unless its ids are invalid or its slot has one of the same second. */
  offer(slot: number, { exemplar, value, timestampMs }: MetricInstance): void {
    const before = this.#slots[slot];
    if (exemplar === undefined || (before !== undefined && timestampMs - before.timestampMs < KEEP_MS))
      return;
    const { traceId, spanId } = exemplar;
    if (!isTraceId(traceId) || !isSpanId(spanId)) return;
    // Bytes, because the texts may be parts of a request's head, which they would keep in memory.
    this.#slots[slot] = { ids: Buffer.from(traceId + spanId, "hex"), value, timestampMs };
  }

  /** Removes and returns all exemplars. */
  take(): readonly PointExemplar[] {
    const taken = this.#slots.filter((exemplar) => exemplar !== undefined);
    this.#slots = [];
    return taken;
  }
}
