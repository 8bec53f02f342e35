// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../kernel/diagnostic.ts";
import type { DocumentSummary } from "../core/snapshot/snapshot.ts";

/** The mixer's active documents, handlers and health; the body of `GET /v1/config`. */
export interface MixerStatus {
  readonly ready: boolean;
  /** Absent before the first snapshot. */
  readonly version?: string;
  readonly appliedAtMs?: number;
  /** The refusal of the newest configuration, while an older one stays active. */
  readonly rejection?: { readonly atMs: number; readonly diagnostics: readonly Diagnostic[] };
  readonly documents: readonly Omit<DocumentSummary, "spec" | "metadata">[];
  readonly handlers: readonly HandlerStatus[];
  /** Number of proxies that watch this mixer. */
  readonly proxies: number;
}

/** The body of `GET /v1/handlers`. */
export interface HandlerListing {
  readonly handlers: readonly HandlerStatus[];
}

/** A handler, its health and the numbers of its queues. */
export interface HandlerStatus {
  readonly name: string;
  readonly extension: "adapter" | "plugin";
  /** Name of the adapter or plugin. */
  readonly of: string;
  /** As configured, with defaults filled in and secrets left out. */
  readonly config: unknown;
  /** `unknown`: the adapter has no health check. */
  readonly health: "ok" | "failing" | "unknown";
  /** One for each report template. */
  readonly queues: readonly QueueStatus[];
}

/** The numbers of a queue: `accepted` = `delivered` + `waiting` + all of `dropped`. */
export interface QueueStatus {
  readonly template: string;
  readonly class: "at-most-once" | "at-least-once";
  readonly accepted: number;
  readonly delivered: number;
  /** By reason; a reason that never occurred is absent. */
  readonly dropped: {
    readonly overflow?: number;
    readonly failed?: number;
    readonly refused?: number;
    readonly closed?: number;
    readonly damaged?: number;
    readonly unwritable?: number;
  };
  /** Batches tried again. */
  readonly retried: number;
  /** Instances waiting or under way. */
  readonly waiting: number;
  /** Size of the waiting instances in bytes; 0 when they are not measured. */
  readonly bytes: number;
  /** Age of the oldest waiting instance in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
  readonly breaker: "closed" | "open" | "half-open";
  /** The last failed try, with its time in ISO 8601. */
  readonly lastError?: { readonly message: string; readonly time: string };
}
