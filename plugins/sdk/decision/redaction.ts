// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHmac } from "node:crypto";

/** Credentials, which are always redacted, or hashed when `hash` names them. */
const ALWAYS_REDACTED: readonly string[] = [
  ...["request", "response"].flatMap((side) =>
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"].map(
      (header) => `${side}.headers.${header}`,
    ),
  ),
  "request.api_key",
  "request.auth.raw_claims",
];

const REDACTED = "[redacted]";

/** 128 bits: collisions within a log are practically impossible. */
const HASH_BYTES = 16;

/** toJson cuts longer texts, and marks the cut at their end. */
const MAX_TEXT_LENGTH = 8192;

export interface RedactionOptions {
  readonly redact: readonly string[];
  readonly hash: readonly string[];
  readonly hashKey: string;
}

export interface Redacted {
  /** Dotted paths of redacted values. */
  readonly redacted: readonly string[];
  readonly hashed: readonly string[];
  readonly cut: readonly string[];
}

type Tree = Record<string, unknown>;

/** Replaces values of a plain JSON object in place; returns the paths of the replaced values. */
export function createRedaction({ redact, hash, hashKey }: RedactionOptions): (bag: Tree) => Redacted {
  const isHashed = matcher(hash);
  const isRedacted = matcher([...ALWAYS_REDACTED, ...redact]);
  const digest = (value: unknown): string => {
    const bytes = createHmac("sha256", hashKey).update(JSON.stringify(value)).digest();
    return `hmac:${bytes.subarray(0, HASH_BYTES).toString("base64url")}`;
  };
  return (bag) => {
    // Elements of one array may have the same path.
    const done = { redacted: new Set<string>(), hashed: new Set<string>(), cut: new Set<string>() };
    const replacement = (value: unknown, path: string): unknown => {
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        walk(value as Tree, `${path}.`);
        return value;
      }
      if (isHashed(path)) {
        done.hashed.add(path);
        return digest(value);
      }
      if (isRedacted(path)) {
        done.redacted.add(path);
        return REDACTED;
      }
      // A path leads through arrays, as it does in expressions.
      if (Array.isArray(value)) return value.map((element) => replacement(element, path));
      if (typeof value === "string" && value.length > MAX_TEXT_LENGTH) done.cut.add(path);
      return value;
    };
    const walk = (node: Tree, prefix: string): void => {
      for (const [key, value] of Object.entries(node)) node[key] = replacement(value, prefix + key);
    };
    walk(bag, "");
    return { redacted: [...done.redacted], hashed: [...done.hashed], cut: [...done.cut] };
  };
}

/** The attributes that repeat the values of headers and query parameters, each value by itself. */
const REPEATED = /^request\.repeated_(?=(?:headers|query_params)\.)/;

/**
 * Whether a path is one of `patterns`, or below one. Case is ignored: redacting too much is the safe mistake. A pattern for a
 * header or query parameter is one for its repeated values too.
 */
function matcher(patterns: readonly string[]): (path: string) => boolean {
  const matches = matcherOfPaths(patterns);
  return (path) => matches(path) || (REPEATED.test(path) && matches(path.replace(REPEATED, "request.")));
}

function matcherOfPaths(patterns: readonly string[]): (path: string) => boolean {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const pattern of patterns.map((written) => written.toLowerCase())) {
    if (pattern.endsWith("*")) prefixes.push(pattern.slice(0, -1));
    else {
      exact.add(pattern);
      prefixes.push(`${pattern}.`);
    }
  }
  return (path) => {
    const lower = path.toLowerCase();
    return exact.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix));
  };
}
