// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TraceSpanInstance } from "../../plugins/sdk/index.ts";
import { attributesOf } from "./attributes.ts";
import { isSpanId, isTraceId } from "./ids.ts";
import type { Resource, Span, SpanContext } from "./otlp.ts";
import { SCOPE } from "./resource.ts";
import { hrTimeOf, isTime } from "./time.ts";

/** Values of the API's SpanKind and SpanStatusCode, whose module is loaded at the first request only. */
const SERVER = 1;
const CLIENT = 2;
const UNSET = 0;
const ERROR = 2;

/** The sampled flag: the host reports sampled spans only. */
const SAMPLED = 1;

const STATUS_CODE = "http.response.status_code";

/** The reason that an instance cannot be a span of OTLP; undefined when it can. */
export function spanFault({ traceId, spanId, startMs, endMs }: TraceSpanInstance): string | undefined {
  if (!isTraceId(traceId)) return "the trace id is not 32 hexadecimal digits in lower case";
  if (!isSpanId(spanId)) return "the span id is not 16 hexadecimal digits in lower case";
  if (!isTime(startMs) || !isTime(endMs)) return "the span has an impossible time";
  return undefined;
}

/** The span of an instance that has no fault. */
export function spanOf(instance: TraceSpanInstance, resource: Resource): Span {
  const { traceId, spanId, parentSpanId, clientSpan, startMs, endMs, httpStatusCode, tags } = instance;
  const context: SpanContext = { traceId, spanId, traceFlags: SAMPLED };
  const attributes = attributesOf(tags);
  if (httpStatusCode !== undefined) attributes[STATUS_CODE] ??= httpStatusCode;
  return {
    name: instance.spanName,
    kind: clientSpan ? CLIENT : SERVER,
    spanContext: () => context,
    ...(isSpanId(parentSpanId)
      ? { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: SAMPLED, isRemote: true } }
      : {}),
    startTime: hrTimeOf(startMs),
    // A clock that was set back meanwhile must not give a negative duration.
    endTime: hrTimeOf(Math.max(startMs, endMs)),
    duration: hrTimeOf(Math.max(0, endMs - startMs)),
    ended: true,
    status: { code: isError(httpStatusCode, clientSpan) ? ERROR : UNSET },
    attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** The status by the semantic conventions of HTTP spans: a client's mistake is an error of the client's span only. */
function isError(status: number | undefined, clientSpan: boolean): boolean {
  return status !== undefined && status >= (clientSpan ? 400 : 500);
}
