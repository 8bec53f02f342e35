// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";
import { decodeUtf8, encodeUtf8 } from "../../../kernel/utf8.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES: ReadonlyMap<number, number> = new Map(
  Array.from(ALPHABET, (letter, value) => [letter.charCodeAt(0), value]),
);

function base64urlEncode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = encodeUtf8(text);
  let encoded = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      encoded += ALPHABET[(held >> bits) & 0x3f];
    }
  }
  return bits === 0 ? encoded : encoded + ALPHABET[(held << (6 - bits)) & 0x3f];
}

function base64urlDecode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const length = lengthWithoutPadding(text);
  if (length === undefined) return undefined;
  const bytes = new Uint8Array((length * 3) >> 2);
  let count = 0;
  let bits = 0;
  let held = 0;
  for (let at = 0; at < length; at++) {
    const value = VALUES.get(text.charCodeAt(at));
    if (value === undefined) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[count++] = (held >> bits) & 0xff;
  }
  // Encoders write zeros into the unused bits. Other bits are refused, so that a text has one encoding.
  return (held & ((1 << bits) - 1)) === 0 ? decodeUtf8(bytes) : undefined;
}

function lengthWithoutPadding(text: string): number | undefined {
  const length = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length;
  if (length < text.length && text.length % 4 !== 0) return undefined;
  return length % 4 === 1 ? undefined : length;
}

export const BASE64URL_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "base64urlEncode",
    signature: "<s-:s>",
    cost: perCharacter(2),
    implementation: base64urlEncode,
    docs: {
      summary: "A text's UTF-8 in base64url (RFC 4648, section 5), without padding.",
      parameters: ["text"],
      examples: [{ expression: '$base64urlEncode("a?~é")', result: "YT9-w6k" }],
    },
  },
  {
    name: "base64urlDecode",
    signature: "<s-:s>",
    cost: perCharacter(0.5),
    implementation: base64urlDecode,
    docs: {
      summary:
        "The text behind base64url, with or without padding; no value when it is not that, or no UTF-8. What a token says is read so; that it is genuine is not.",
      parameters: ["text"],
      examples: [
        { expression: '$base64urlDecode("eyJhbGciOiJub25lIn0")', result: '{"alg":"none"}' },
        { expression: '$base64urlDecode("no base64url")', result: undefined },
      ],
    },
  },
];
