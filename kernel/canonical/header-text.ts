// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Conversion between the text and the bytes of header values. In documents, expressions and attributes a
 * header value is text; on the wire it is the UTF-8 bytes of that text. Node's HTTP API and undici carry
 * bytes as a "binary" string, one character (U+0000 to U+00FF) per byte; both functions here convert from or
 * to such strings.
 */
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";

/** Characters that take more than one byte in UTF-8. */
const NOT_ASCII = /[^\0-\x7f]/;
/** Characters above U+00FF, which a binary string cannot have: the string is text already. */
const NOT_BYTES = /[^\0-\xff]/;

/** Whether the text is the same as text and as bytes, as nearly all header values are. */
export function isAsciiText(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/**
 * Decodes a received header value. Bytes that are valid UTF-8 are read as UTF-8, others as Latin-1 (one
 * character per byte), so that two different values never become the same text by replacement.
 *
 * @param bytes Binary string, as Node's HTTP API gives it.
 */
export function headerTextOf(bytes: string): string {
  if (!NOT_ASCII.test(bytes) || NOT_BYTES.test(bytes)) return bytes;
  const octets = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) octets[at] = bytes.charCodeAt(at);
  return decodeUtf8(octets) ?? bytes;
}

/**
 * Encodes a header value as UTF-8, in a binary string as Node's HTTP API and undici take it. `headerTextOf`
 * is its inverse. A lone surrogate becomes U+FFFD: callers refuse such text first.
 */
export function headerBytesOf(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  let bytes = "";
  for (const octet of encodeUtf8(text)) bytes += String.fromCharCode(octet);
  return bytes;
}
