// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type LogEntryInstance,
  type PartialFailure,
  PurserError,
  type RefusedInstance,
  type ReportOutcome,
  type TraceSpanInstance,
} from "../../plugins/sdk/index.ts";
import type { LogRecord, PartialSuccess, Resource, Span } from "./otlp.ts";
import { type LogRecordOptions, logRecordOf } from "./log-records.ts";
import { spanFault, spanOf } from "./spans.ts";

/** The spans of a batch, and the instances that cannot be spans. */
export interface SpanBatch {
  readonly spans: readonly Span[];
  /** The position in the batch of each span. */
  readonly indexes: readonly number[];
  readonly refused: readonly RefusedInstance[];
}

export function spanBatchOf(instances: readonly TraceSpanInstance[], resource: Resource): SpanBatch {
  const spans: Span[] = [];
  const indexes: number[] = [];
  const refused: RefusedInstance[] = [];
  for (const [index, instance] of instances.entries()) {
    const fault = spanFault(instance);
    if (fault === undefined) {
      spans.push(spanOf(instance, resource));
      indexes.push(index);
    } else refused.push({ index, error: permanent(fault) });
  }
  return { spans, indexes, refused };
}

export function logBatchOf(
  instances: readonly LogEntryInstance[],
  options: LogRecordOptions,
): readonly LogRecord[] {
  return instances.map((instance) => logRecordOf(instance, options));
}

/**
 * The outcome of a request. A receiver says how many instances it rejected, and not which: the first ones stand for them, so
 * that the host counts as many as were dropped. None is sent again, as the OTLP specification says.
 */
export function outcomeOf(
  { rejected, message }: PartialSuccess,
  indexes: readonly number[],
  refused: readonly RefusedInstance[] = [],
): ReportOutcome {
  if (rejected === 0 && refused.length === 0) return undefined;
  const error = permanent(
    `the receiver rejected ${rejected} of ${indexes.length}, and does not say which${message === "" ? "" : `: ${message}`}`,
  );
  const failure: PartialFailure = {
    refused: [...refused, ...indexes.slice(0, rejected).map((index) => ({ index, error }))],
  };
  return failure;
}

function permanent(message: string): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", message, { retryable: false });
}
