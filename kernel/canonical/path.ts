// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { encodeUtf8 } from "../utf8.ts";
import { Malformed } from "./malformed.ts";

/** Names and meanings are those of Istio's `MeshConfig.pathNormalization.normalization`. */
export const PATH_NORMALIZATIONS = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

export type PathNormalization = (typeof PATH_NORMALIZATIONS)[number];

export const DEFAULT_PATH_NORMALIZATION: PathNormalization = "MERGE_SLASHES";

/** Fast path: characters that are never escaped or decoded, no `//`, no segment that begins with a dot. */
const PLAIN = /^(?:\/(?![/.])[\w\-.~!$&'()*+,=:@]*)+$/;
/** Unreserved characters (RFC 3986, 2.3). */
const UNRESERVED = /[\w\-.~]/;
/** pchar and the slash (RFC 3986, 3.3), without percent-encoded characters. */
const PATH_CHARACTER = /[\w\-.~!$&'()*+,;=:@/]/;
/** Overlong UTF-8 (RFC 3629, 3): a careless decoder reads `%C0%AF` as a slash. */
const OVERLONG = /%C[01]|%E0%[89]|%F0%8/;
/** Dot segments that only some servers recognize: beside an escaped slash, or followed by path parameters. */
const HIDDEN_DOT_SEGMENT = /(?:\/|%2F|%5C)\.\.?(?:;|%3B|%2F|%5C|\/|$)/;

/** Dots that may begin a longer name, and an escape that is cut off. */
const OPEN_END = /(?:(?:\/|%2F|%5C)\.{1,2})?(?:%[0-9A-F]?)?$/i;

/** The part at the end of a path's beginning whose canonical form depends on how the path goes on; often empty. */
export function openEndOf(beginning: string): string {
  return OPEN_END.exec(beginning)?.[0] ?? "";
}

/** Whether a path is canonical already, with every normalization. */
export function isPlainPath(path: string): boolean {
  return PLAIN.test(path);
}

/**
 * The canonical form of a path, which attributes, routes, caches and the upstream share. It is idempotent.
 *
 * - `NONE`: unchanged.
 * - `BASE` (RFC 3986, 6.2.2): escapes of unreserved characters are decoded, other escapes get capital digits,
 *   characters that a path may not have are escaped, `\` becomes `/`, dot segments are resolved.
 * - `MERGE_SLASHES`: BASE, and `//` becomes `/`.
 * - `DECODE_AND_MERGE_SLASHES`: MERGE_SLASHES, and `%2F` and `%5C` become `/`.
 *
 * @param path Begins with `/`; without query. A character of U+0080 to U+00FF is a byte, any other its UTF-8.
 * @returns Malformed for a path that servers read differently: an incomplete escape, an escaped control
 *   character, overlong UTF-8, or a dot segment that is hidden by `;` or by an escaped slash. Never with
 *   `NONE`.
 */
export function canonicalPath(path: string, normalization: PathNormalization): string | Malformed {
  if (normalization === "NONE" || PLAIN.test(path)) return path;
  const decoded = decode(path, normalization === "DECODE_AND_MERGE_SLASHES");
  if (decoded instanceof Malformed) return decoded;
  if (OVERLONG.test(decoded)) return new Malformed("has an escape of overlong UTF-8");
  const resolved = decoded.includes("/.") ? removeDotSegments(decoded) : decoded;
  const merged = normalization === "BASE" ? resolved : resolved.replace(/\/{2,}/g, "/");
  if (HIDDEN_DOT_SEGMENT.test(merged))
    return new Malformed("has a dot segment beside a ; or an escaped slash");
  return merged;
}

function decode(path: string, decodesSlashes: boolean): string | Malformed {
  let text = "";
  for (let at = 0; at < path.length; at++) {
    const character = path[at] as string;
    const code = path.charCodeAt(at);
    if (character === "%") {
      const hex = path.slice(at + 1, at + 3);
      if (!/^[0-9a-f]{2}$/i.test(hex)) return new Malformed("has a % that begins no escape");
      const escaped = unescape(hex, decodesSlashes);
      if (escaped instanceof Malformed) return escaped;
      text += escaped;
      at += 2;
    } else if (character === "\\") text += "/";
    else if (isControl(code)) return new Malformed("has a control character");
    else if (PATH_CHARACTER.test(character)) text += character;
    else if (code <= 0xff) text += escapeOf(code);
    else {
      const whole = String.fromCodePoint(path.codePointAt(at) as number);
      for (const byte of encodeUtf8(whole)) text += escapeOf(byte);
      at += whole.length - 1;
    }
  }
  return text;
}

function unescape(hex: string, decodesSlashes: boolean): string | Malformed {
  const code = Number.parseInt(hex, 16);
  if (isControl(code)) return new Malformed(`has the escape %${hex.toUpperCase()} of a control character`);
  const character = String.fromCharCode(code);
  if (UNRESERVED.test(character)) return character;
  if (decodesSlashes && (character === "/" || character === "\\")) return "/";
  return escapeOf(code);
}

function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f;
}

function escapeOf(byte: number): string {
  return `%${byte < 0x10 ? "0" : ""}${byte.toString(16).toUpperCase()}`;
}

/** Resolves `.` and `..` (RFC 3986, 5.2.4). */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}
