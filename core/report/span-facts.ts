// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeBag, type AttributePath, valueAt } from "../attributes/bag.ts";
import type { MetricInstance, TraceSpanInstance } from "../templates/instances.ts";

/** The facts of a span that come from the bag, not from a document. */
export interface SpanFacts
  extends Pick<
    TraceSpanInstance,
    "traceId" | "spanId" | "parentSpanId" | "clientSpan" | "startMs" | "endMs" | "httpStatusCode"
  > {
  readonly defaultName: string;
}

const TRACE_ID: AttributePath = ["request", "trace_id"];
const SPAN_ID: AttributePath = ["request", "span_id"];
const PARENT_SPAN_ID: AttributePath = ["request", "parent_span_id"];
const TRACEPARENT: AttributePath = ["request", "headers", "traceparent"];
const DURATION: AttributePath = ["response", "duration"];
const CODE: AttributePath = ["response", "code"];
const REPORTER: AttributePath = ["context", "reporter", "kind"];
const METHOD: AttributePath = ["request", "method"];
const SERVICE: AttributePath = ["destination", "service", "name"];

/** undefined when the request has no trace, or its trace is not sampled: there is no span to report. */
export function spanFacts(bag: AttributeBag, endMs: number): SpanFacts | undefined {
  const traceId = textAt(bag, TRACE_ID);
  const spanId = textAt(bag, SPAN_ID);
  if (traceId === undefined || spanId === undefined || !isSampled(textAt(bag, TRACEPARENT))) return undefined;
  const durationMs = valueAt(bag, DURATION);
  const code = valueAt(bag, CODE);
  return {
    traceId,
    spanId,
    parentSpanId: textAt(bag, PARENT_SPAN_ID),
    // Istio calls the proxy on the client's side outbound.
    clientSpan: valueAt(bag, REPORTER) === "outbound",
    startMs: typeof durationMs === "number" ? endMs - durationMs : endMs,
    endMs,
    httpStatusCode: typeof code === "number" ? code : undefined,
    defaultName: `${textAt(bag, METHOD) ?? "request"} ${textAt(bag, SERVICE) ?? "unknown"}`,
  };
}

/** The request's span as an exemplar: undefined without a sampled trace, or with ids that W3C Trace Context does not allow. */
export function exemplarIn(bag: AttributeBag): MetricInstance["exemplar"] {
  const traceId = textAt(bag, TRACE_ID);
  if (traceId === undefined) return undefined;
  const spanId = textAt(bag, SPAN_ID);
  if (spanId === undefined || !isSampled(textAt(bag, TRACEPARENT))) return undefined;
  return isHex(traceId, 32) && isHex(spanId, 16) ? { traceId, spanId } : undefined;
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/.test(text);
}

/** The sampled flag of a traceparent (W3C Trace Context, section 3.2.2.5); true without a traceparent. */
function isSampled(traceparent: string | undefined): boolean {
  const flags = /-([0-9a-f]{2})$/.exec(traceparent ?? "")?.[1];
  return flags === undefined || (Number.parseInt(flags, 16) & 1) === 1;
}

function textAt(bag: AttributeBag, path: AttributePath): string | undefined {
  const value = valueAt(bag, path);
  return typeof value === "string" ? value : undefined;
}
