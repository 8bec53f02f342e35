// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The one rule for text and bytes of header values. In documents, expressions and attributes a header value
 * is text; on the wire it is the UTF-8 bytes of that text. Node's HTTP API and undici carry bytes as a
 * "binary" string with one character (U+0000 to U+00FF) a byte, which is what both functions take or return.
 */
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";

/** Characters that are more than one byte in UTF-8. */
const NOT_ASCII = /[^\0-\x7f]/;
/** Characters that no byte stands for: the string is text already. */
const NOT_BYTES = /[^\0-\xff]/;

/**
 * The text of a header value that was received. Bytes that are valid UTF-8 are read as UTF-8. Other bytes are
 * read as Latin-1, a character a byte, so that no two different values become the same text by replacement.
 *
 * @param bytes the value as Node's HTTP API gives it, a character a byte
 */
export function headerTextOf(bytes: string): string {
  if (!NOT_ASCII.test(bytes) || NOT_BYTES.test(bytes)) return bytes;
  const octets = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) octets[at] = bytes.charCodeAt(at);
  return decodeUtf8(octets) ?? bytes;
}

/**
 * The UTF-8 bytes of a header value that is to be sent, a character a byte, as Node's HTTP API and undici take
 * them. `headerTextOf` reads the same text back. Half a surrogate pair has no bytes and is sent as U+FFFD:
 * callers refuse such text first.
 */
export function headerBytesOf(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  let bytes = "";
  for (const octet of encodeUtf8(text)) bytes += String.fromCharCode(octet);
  return bytes;
}
