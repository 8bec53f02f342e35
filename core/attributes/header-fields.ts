// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Rules for header fields in documents and handlers: AccessPolicy, VirtualService, configurations and answers
 * of handlers, values of expressions. Faults are sentences without the location.
 */

/** A token (RFC 9110, section 5.6.2). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Field value (RFC 9110, section 5.5): no CR, LF, NUL or other control character. Other text is sent as UTF-8
 * (`kernel/canonical/header-text.ts`), which cannot encode a lone surrogate.
 */
const VALUE = /^[\t\x20-\x7e\x80-\ud7ff\ue000-\u{10ffff}]*$/u;

/**
 * Hop-by-hop fields, which no proxy forwards: RFC 9110, section 7.6.1, fields of older senders, and
 * `http2-settings` (RFC 7540, section 3.2.1).
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that only the proxy writes or removes: they frame a message, route it, or are hop-by-hop. */
const RESERVED: ReadonlySet<string> = new Set([...HOP_BY_HOP, "content-length", "expect", "host", "trailer"]);

/**
 * Fields with a single value (RFC 9110 and 9111): of two, recipients keep the first, the last, or neither.
 */
const SINGLE: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-location",
  "content-range",
  "content-type",
  "date",
  "etag",
  "expires",
  "from",
  "if-modified-since",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/**
 * Whether a field ends at the next hop.
 *
 * @param name in lower case.
 */
export function isHopByHopHeader(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/**
 * Whether documents may not write a field, because the proxy does.
 *
 * @param name in lower case.
 */
export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name);
}

/**
 * Whether a second value replaces the first.
 *
 * @param name In lower case.
 */
export function isSingleHeader(name: string): boolean {
  return SINGLE.has(name);
}

/** Fault of a field's name, in any case; undefined when documents may write the field. */
export function headerNameFault(name: string): string | undefined {
  if (name.startsWith(":"))
    return `${JSON.stringify(name)} is a pseudo-header, which documents may not change`;
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not a header name`;
  const lower = name.toLowerCase();
  if (!RESERVED.has(lower)) return undefined;
  return lower === "host"
    ? `Documents may not change the header ${name}`
    : `Documents may not change the header ${name}: it frames the message or belongs to the connection`;
}

/** Fault of a field's value; undefined when the value can be sent. */
export function headerValueFault(name: string, value: string): string | undefined {
  return VALUE.test(value)
    ? undefined
    : `The value of ${name} has a line break or another character that could split a message or cannot be sent`;
}
