// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isValidSpanId, isValidTraceId } from "@opentelemetry/api";
import type { HeaderList } from "../transport/contract/header-list.ts";

/** The caller's span, and its decision whether the trace is sampled. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** undefined: the caller leaves the decision to the receiver, which only B3 allows. */
  readonly sampled: boolean | undefined;
  /** The random flag of W3C Trace Context Level 2: the trace id's last seven bytes are random. */
  readonly random: boolean;
  /** B3's debug flag: the trace is sampled whatever a collector's own sampling says. */
  readonly debug: boolean;
}

/** A decision of B3 headers without ids: the trace begins here, sampled or not. */
export interface SamplingDecision {
  readonly sampled: boolean;
  readonly debug: boolean;
}

/** W3C Trace Context: `version-traceid-parentid-flags`; a later version may append further fields after a `-`. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const SAMPLED = 1;
const RANDOM = 2;

/** The span of a `traceparent` (W3C Trace Context, section 3.2); undefined when the header is absent or invalid. */
export function parseTraceparent(text: string | undefined): TraceParent | undefined {
  const match = text === undefined ? null : TRACEPARENT.exec(text);
  if (match === null) return undefined;
  const [, version, traceId, spanId, flagText, rest] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (!isValidTraceId(traceId) || !isValidSpanId(spanId)) return undefined;
  const flags = Number.parseInt(flagText, 16);
  return {
    traceId,
    spanId,
    sampled: (flags & SAMPLED) !== 0,
    // Of a version that is not known, only the sampled flag may be used (section 3.2.2.5).
    random: version === "00" && (flags & RANDOM) !== 0,
    debug: false,
  };
}

/** A `traceparent` of version 00. */
export function formatTraceparent(
  traceId: string,
  spanId: string,
  { sampled, random }: { readonly sampled: boolean; readonly random: boolean },
): string {
  const flags = (sampled ? SAMPLED : 0) | (random ? RANDOM : 0);
  return `00-${traceId}-${spanId}-0${flags}`;
}

/** B3 trace ids have 64 or 128 bits, in lower-case hex (openzipkin/b3-propagation). */
const B3_TRACE_ID = /^([0-9a-f]{16}){1,2}$/;
const B3_SPAN_ID = /^[0-9a-f]{16}$/;

/** The headers of B3 in its form with several headers. */
export const B3_HEADERS = [
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
] as const;

/**
 * The span or the decision of B3 headers: of `b3` when it is valid, otherwise of `x-b3-*`; undefined when they are absent or
 * invalid. A short trace id is filled up with zeros on the left.
 */
export function parseB3(headers: Pick<HeaderList, "get">): TraceParent | SamplingDecision | undefined {
  return parseB3Single(headers.get("b3")) ?? parseB3Headers(headers);
}

/** `b3`: `traceid-spanid`, `traceid-spanid-state`, `traceid-spanid-state-parentspanid` or a state alone. */
function parseB3Single(text: string | undefined): TraceParent | SamplingDecision | undefined {
  if (text === undefined) return undefined;
  const [first = "", spanId, state, parentSpanId, more] = text.split("-", 5);
  if (spanId === undefined) return decisionOf(first);
  if (more !== undefined || (parentSpanId !== undefined && !B3_SPAN_ID.test(parentSpanId))) return undefined;
  if (state !== undefined && decisionOf(state) === undefined) return undefined;
  return parentOf(first, spanId, decisionOf(state));
}

function parseB3Headers(headers: Pick<HeaderList, "get">): TraceParent | SamplingDecision | undefined {
  const [traceId, spanId] = [headers.get("x-b3-traceid"), headers.get("x-b3-spanid")];
  const decision =
    headers.get("x-b3-flags") === "1" ? decisionOf("d") : decisionOf(headers.get("x-b3-sampled"));
  if (traceId === undefined && spanId === undefined) return decision;
  return parentOf(traceId ?? "", spanId ?? "", decision);
}

/** `true` and `false` are of older senders. */
function decisionOf(state: string | undefined): SamplingDecision | undefined {
  switch (state) {
    case "1":
    case "true":
      return { sampled: true, debug: false };
    case "0":
    case "false":
      return { sampled: false, debug: false };
    case "d":
      return { sampled: true, debug: true };
    default:
      return undefined;
  }
}

function parentOf(
  traceId: string,
  spanId: string,
  decision: SamplingDecision | undefined,
): TraceParent | undefined {
  if (!B3_TRACE_ID.test(traceId) || !B3_SPAN_ID.test(spanId)) return undefined;
  const long = traceId.padStart(32, "0");
  if (!isValidTraceId(long) || !isValidSpanId(spanId)) return undefined;
  return {
    traceId: long,
    spanId,
    sampled: decision?.sampled,
    random: false,
    debug: decision?.debug ?? false,
  };
}

/** The span that the headers of B3 tell the upstream of. */
export interface B3Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
  readonly debug: boolean;
}

/** Writes B3 in one form, and removes the other form, which would contradict it. */
export function writeB3(
  headers: Pick<HeaderList, "setPlain" | "remove">,
  form: "SINGLE_HEADER" | "MULTI_HEADER",
  { traceId, spanId, parentSpanId, sampled, debug }: B3Span,
): void {
  if (form === "SINGLE_HEADER") {
    for (const name of B3_HEADERS) headers.remove(name);
    const state = debug ? "d" : sampled ? "1" : "0";
    const parent = parentSpanId === undefined ? "" : `-${parentSpanId}`;
    headers.setPlain("b3", `${traceId}-${spanId}-${state}${parent}`);
    return;
  }
  for (const name of ["b3", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"]) headers.remove(name);
  headers.setPlain("x-b3-traceid", traceId);
  headers.setPlain("x-b3-spanid", spanId);
  if (parentSpanId !== undefined) headers.setPlain("x-b3-parentspanid", parentSpanId);
  // Debug implies sampled: senders write one of the two headers.
  if (debug) headers.setPlain("x-b3-flags", "1");
  else headers.setPlain("x-b3-sampled", sampled ? "1" : "0");
}
