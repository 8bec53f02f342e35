// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ONLY_ZEROS = /^0+$/;

/** Whether a value is a trace id of W3C Trace Context: 32 hexadecimal digits in lower case, not all zero. */
export function isTraceId(value: unknown): value is string {
  return typeof value === "string" && TRACE_ID.test(value) && !ONLY_ZEROS.test(value);
}

/** Whether a value is a span id of W3C Trace Context: 16 hexadecimal digits in lower case, not all zero. */
export function isSpanId(value: unknown): value is string {
  return typeof value === "string" && SPAN_ID.test(value) && !ONLY_ZEROS.test(value);
}
