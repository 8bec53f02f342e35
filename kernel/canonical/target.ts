// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Authority, parseAuthority } from "./authority.ts";
import { Malformed } from "./malformed.ts";
import { canonicalPath, type PathNormalization } from "./path.ts";
import { canonicalQuery } from "./query.ts";

/** A request target taken apart (RFC 9112, 3.2), each part in its one form. */
export interface RequestTarget {
  /** Begins with `/`. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  /** Of a target in absolute form. */
  readonly authority: Authority | undefined;
}

/**
 * @param target in origin form, or in absolute form with the scheme http.
 * @returns Malformed for any other form, a fragment, and parts without a canonical form.
 */
export function parseRequestTarget(
  target: string,
  normalization: PathNormalization,
): RequestTarget | Malformed {
  if (target.includes("#")) return new Malformed("has a fragment");
  let rest = target;
  let authority: Authority | undefined;
  if (!target.startsWith("/")) {
    const [, named, after] = /^http:\/\/([^/?\\]*)(.*)$/is.exec(target) ?? [];
    if (named === undefined || after === undefined || named === "")
      return new Malformed("is neither a path nor a whole URL with the scheme http");
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
