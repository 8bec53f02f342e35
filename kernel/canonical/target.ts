// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Authority, parseAuthority } from "./authority.ts";
import { Malformed } from "./malformed.ts";
import { canonicalPath, isPlainPath, type PathNormalization } from "./path.ts";
import { canonicalQuery } from "./query.ts";

/** The parts of a request target (RFC 9112, 3.2), each in its canonical form. */
export interface RequestTarget {
  /** Begins with `/`. */
  readonly path: string;
  /** The query with its `?`; empty when the target has no query. */
  readonly query: string;
  /** undefined unless the target is in absolute form. */
  readonly authority: Authority | undefined;
}

/** Fast path: a query without a fragment and without bytes beyond ASCII, which is canonical already. */
const PLAIN_QUERY = /^[^#\x80-\uffff]*$/;

/**
 * Fast path: whether a path and its query are canonical already, so that `parseRequestTarget` would return
 * them unchanged. Most requests' are.
 *
 * @param query With its `?`, or empty.
 */
export function isCanonicalTarget(path: string, query: string): boolean {
  return isPlainPath(path) && (query === "" || PLAIN_QUERY.test(query));
}

/**
 * @param target In origin form, or in absolute form.
 * @param scheme Of the connection. An absolute form may have it, or http.
 * @returns Malformed for any other form, for a fragment, and for parts without a canonical form.
 */
export function parseRequestTarget(
  target: string,
  normalization: PathNormalization,
  scheme: "http" | "https" = "http",
): RequestTarget | Malformed {
  if (target.includes("#")) return new Malformed("has a fragment");
  let rest = target;
  let authority: Authority | undefined;
  if (!target.startsWith("/")) {
    const [, written, named, after] = /^(https?):\/\/([^/?\\]*)(.*)$/is.exec(target) ?? [];
    const isAllowed = written?.toLowerCase() === "http" || scheme === "https";
    if (!isAllowed || named === undefined || after === undefined || named === "")
      return new Malformed(`is neither a path nor a whole URL with the scheme ${scheme}`);
    const parsed = parseAuthority(named);
    if (parsed instanceof Malformed) return new Malformed(`names a host that ${parsed.reason}`);
    if (parsed.host === "") return new Malformed("names no host");
    authority = parsed;
    rest = /^[/\\]/.test(after) ? after : `/${after}`;
  }
  const mark = rest.indexOf("?");
  const path = canonicalPath(mark < 0 ? rest : rest.slice(0, mark), normalization);
  if (path instanceof Malformed) return path;
  return { path, query: mark < 0 ? "" : canonicalQuery(rest.slice(mark)), authority };
}
