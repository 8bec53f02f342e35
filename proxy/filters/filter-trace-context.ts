// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_TRACING } from "../../core/traffic/tracing.ts";
import type { Random } from "../../kernel/ports.ts";
import type { RandomHex } from "../exchange/random-hex.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { Filter } from "./filter.ts";
import {
  formatTraceparent,
  parseB3,
  parseTraceparent,
  type SamplingDecision,
  type TraceParent,
  writeB3,
} from "./trace-headers.ts";

/**
 * Trace context: each proxy is a span of its own, a child of the caller's span. An invalid `traceparent` begins a
 * new trace without the old `tracestate`, as W3C Trace Context says in section 2.3. A caller's decision whether the trace is
 * sampled is kept; the listener's percentage decides for every other trace.
 *
 * @param random Decides whether a new trace is sampled.
 */
export function traceContextFilter(randomHex: RandomHex, random: Random): Filter {
  return {
    name: "trace-context",
    onRequest(exchange) {
      const { headers } = exchange.request;
      const { randomSamplingPercentage, b3 } = exchange.listener.tracing ?? DEFAULT_TRACING;
      const w3c = traceparentOf(headers);
      // A caller of B3 may send no traceparent; with both, the standard's header counts.
      const given: TraceParent | SamplingDecision | undefined =
        w3c ?? (b3 === "NONE" ? undefined : parseB3(headers));
      if (w3c === undefined) headers.remove("tracestate");
      const parent = given !== undefined && "traceId" in given ? given : undefined;
      const sampled = given?.sampled ?? isSampled(randomSamplingPercentage, random);
      const traceId = parent?.traceId ?? randomHex(32);
      const spanId = randomHex(16);
      const parentSpanId = parent?.spanId;
      exchange.trace = { traceId, spanId, parentSpanId, sampled };
      headers.setPlain(
        "traceparent",
        formatTraceparent(traceId, spanId, { sampled, random: parent?.random ?? false }),
      );
      if (b3 !== "NONE")
        writeB3(headers, b3, { traceId, spanId, parentSpanId, sampled, debug: given?.debug ?? false });
      return undefined;
    },
  };
}

/** The standard allows one `traceparent`; of several, none is valid. */
function traceparentOf(headers: HeaderList): TraceParent | undefined {
  const text = headers.get("traceparent");
  return text === undefined || headers.count("traceparent") > 1 ? undefined : parseTraceparent(text.trim());
}

/** Draws no number for the two common percentages. */
function isSampled(percentage: number, random: Random): boolean {
  return percentage >= 100 || (percentage > 0 && random() * 100 < percentage);
}
