// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isValidSpanId, isValidTraceId, TraceFlags } from "@opentelemetry/api";

import type { TraceContext } from "../exchange/exchange.ts";
import type { RandomHex } from "../exchange/random-hex.ts";
import type { Filter } from "./filter.ts";

/** W3C Trace Context: `version-traceid-parentid-flags`; a later version may append further fields. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * `traceparent`: each proxy is a span of its own, a child of the caller's span. An invalid header begins a
 * new trace without the old `tracestate`, as the standard says. New traces are sampled, as in Envoy.
 */
export function traceContextFilter(randomHex: RandomHex): Filter {
  return {
    name: "trace-context",
    onRequest(exchange) {
      const { headers } = exchange.request;
      const parent = parseTraceparent(headers.get("traceparent"));
      if (parent === undefined) headers.remove("tracestate");
      const trace: TraceContext = {
        traceId: parent?.traceId ?? randomHex(32),
        spanId: randomHex(16),
        parentSpanId: parent?.spanId,
        sampled: parent?.sampled ?? true,
      };
      exchange.trace = trace;
      headers.setPlain("traceparent", `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}`);
      return undefined;
    },
  };
}

function parseTraceparent(
  text: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly sampled: boolean } | undefined {
  const match = text === undefined ? null : TRACEPARENT.exec(text.trim());
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (!isValidTraceId(traceId) || !isValidSpanId(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0 };
}
