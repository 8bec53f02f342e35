// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { decodeUtf8 } from "../../../kernel/utf8.ts";
import { type Algorithm, isAlgorithm } from "./algorithms.ts";
import { decodeBase64Url } from "./base64url.ts";
import { isRecord } from "./json-web-key.ts";
import type { TokenRefusal } from "./token-refusal.ts";

/** A signed text (JWS) whose form is sound; nothing of it is verified. */
export interface SignedText {
  readonly text: string;
  readonly algorithm: Algorithm;
  readonly keyId: string | undefined;
  /** The payload as the text writes it, in base64url. */
  readonly payloadPart: string;
}

/** A token (JWT): a signed text with a JSON object in its payload. */
export interface CompactToken extends SignedText {
  readonly claims: Claims;
  readonly payloadText: string;
}

/** The JSON object in a token's payload. */
export type Claims = Readonly<Record<string, unknown>>;

/** Longest token, in characters: more than any issuer writes, less than a request's head may have. */
export const MAX_TOKEN_LENGTH = 16_384;

/** Depth of a payload's values; deeper ones would exhaust the stack of code that walks them. */
const MAX_DEPTH = 32;

/**
 * Reads a token. Of members that a JSON object repeats, the last counts (RFC 7519, section 4).
 *
 * @returns The reason when it is not one.
 */
export function readCompactToken(text: string): CompactToken | TokenRefusal {
  const signed = readSignedText(text);
  if (typeof signed === "string") return signed;
  const payloadText = textOf(signed.payloadPart);
  const claims = payloadText === undefined ? undefined : jsonObject(payloadText);
  return payloadText === undefined || claims === undefined ? "payload" : { ...signed, claims, payloadText };
}

/**
 * Reads a signed text in the compact serialization (RFC 7515, section 7.1). The header's `jku`, `jwk`, `x5u` and `x5c` are not
 * read: keys come from the issuer's rule alone.
 *
 * @returns The reason when it is not one.
 */
export function readSignedText(text: string): SignedText | TokenRefusal {
  if (text.length > MAX_TOKEN_LENGTH) return "too_long";
  const parts = text.split(".", 4);
  const [headerPart = "", payloadPart = "", signaturePart = ""] = parts;
  if (parts.length !== 3 || headerPart === "" || payloadPart === "") return "format";
  const headerText = textOf(headerPart);
  const header = headerText === undefined ? undefined : jsonObject(headerText);
  if (header === undefined) return "header";
  const { alg, kid, crit, b64 } = header;
  if (typeof alg !== "string" || !isAlgorithm(alg)) return "algorithm";
  if (kid !== undefined && typeof kid !== "string") return "header";
  // No extension is understood (RFC 7515, section 4.1.11), nor an unencoded payload (RFC 7797, which a JWT must not have).
  if (crit !== undefined || (b64 !== undefined && b64 !== true)) return "critical";
  if (signaturePart === "" || decodeBase64Url(signaturePart) === undefined) return "format";
  return { text, algorithm: alg, keyId: kid, payloadPart };
}

function textOf(part: string): string | undefined {
  const bytes = decodeBase64Url(part);
  return bytes === undefined ? undefined : decodeUtf8(bytes);
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && isPlain(value, MAX_DEPTH) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A lone surrogate, which no UTF-8 has: I-JSON forbids it (RFC 7493, section 2.1). */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether the value is safe to hand on: neither deep nor with the name `__proto__`, infinite numbers or lone surrogates. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "string") return !LONE_SURROGATE.test(value);
  // JSON.parse reads 1e999 as Infinity, which JSON cannot write.
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((each) => isPlain(each, depth - 1));
  return Object.entries(value).every(
    ([name, each]) => name !== "__proto__" && !LONE_SURROGATE.test(name) && isPlain(each, depth - 1),
  );
}
