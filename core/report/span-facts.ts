// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../attributes/bag.ts";
import { groupIn } from "../attributes/group.ts";
import type { MetricInstance, TraceSpanInstance } from "../templates/instances.ts";

/** The facts of a span that come from the bag, not from a document. */
export interface SpanFacts
  extends Pick<
    TraceSpanInstance,
    "traceId" | "spanId" | "parentSpanId" | "clientSpan" | "startMs" | "endMs" | "httpStatusCode"
  > {
  readonly defaultName: string;
}

/** undefined when the request has no trace, or its trace is not sampled: there is no span to report. */
export function spanFacts(bag: AttributeBag, endMs: number): SpanFacts | undefined {
  const request = groupIn(bag["request"]);
  const traceId = textIn(request["trace_id"]);
  const spanId = textIn(request["span_id"]);
  if (traceId === undefined || spanId === undefined || !isSampled(request["headers"])) return undefined;
  const { duration: durationMs, code } = groupIn(bag["response"]);
  const service = groupIn(groupIn(bag["destination"])["service"])["name"];
  return {
    traceId,
    spanId,
    parentSpanId: textIn(request["parent_span_id"]),
    // Istio calls the proxy on the client's side outbound.
    clientSpan: groupIn(groupIn(bag["context"])["reporter"])["kind"] === "outbound",
    startMs: typeof durationMs === "number" ? endMs - durationMs : endMs,
    endMs,
    httpStatusCode: typeof code === "number" ? code : undefined,
    defaultName: `${textIn(request["method"]) ?? "request"} ${textIn(service) ?? "unknown"}`,
  };
}

/** The request's span as an exemplar: undefined without a sampled trace, or with ids that W3C Trace Context does not allow. */
export function exemplarIn(bag: AttributeBag): MetricInstance["exemplar"] {
  const request = groupIn(bag["request"]);
  const traceId = textIn(request["trace_id"]);
  if (traceId === undefined) return undefined;
  const spanId = textIn(request["span_id"]);
  if (spanId === undefined || !isSampled(request["headers"])) return undefined;
  return isHex(traceId, 32) && isHex(spanId, 16) ? { traceId, spanId } : undefined;
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/.test(text);
}

/** The end of a traceparent with an even number as flags. */
const UNSAMPLED = /^-[0-9a-f][02468ace]$/;

/** The sampled flag of a traceparent (W3C Trace Context, section 3.2.2.5); true without a traceparent. */
function isSampled(headers: AttributeValue | undefined): boolean {
  const { traceparent } = groupIn(headers);
  return typeof traceparent !== "string" || !UNSAMPLED.test(traceparent.slice(-3));
}

function textIn(value: AttributeValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
