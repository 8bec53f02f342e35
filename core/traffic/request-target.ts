// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "../../kernel/canonical/malformed.ts";
import { canonicalPath, type PathNormalization } from "../../kernel/canonical/path.ts";
import type { PathRewrite, RouteAction, RouteMatch } from "./resources/route.ts";

/** Targets of forwarded requests after rewrites, and Locations of redirects. */

/**
 * The path to forward. A prefix rewrite replaces the matched prefix; for other matches it replaces the whole
 * path, as in Envoy. One difference from Envoy, whose plain concatenation is a known trap: where a slash
 * belongs between the two parts there is exactly one, so `/` to `/v1` turns `/x` into `/v1/x`, and `/ratings`
 * to `/` turns `/ratings/x` into `/x`.
 *
 * @param path Without the query, which is kept unchanged.
 * @param match The matching one of the route's matches; undefined for a route without matches, which means
 *   the prefix `/`.
 */
export function rewritePath(
  path: string,
  rewrite: Exclude<PathRewrite, { readonly kind: "regex" }>,
  match: RouteMatch | undefined,
): string {
  const prefix = prefixOf(match);
  if (rewrite.kind === "whole" || prefix === undefined) return rewrite.value;
  return join(rewrite.value, path.slice(prefix.length), prefix.endsWith("/"));
}

/** A dot segment in any spelling that some server reads as one. */
const DOT_SEGMENT = /(?:[/\\]|%2F|%5C)(?:\.|%2E){1,2}(?:[/\\]|%2F|%5C|$)/i;

/**
 * The canonical form of a rewritten path, which is forwarded. Malformed for a path that could not have arrived either, and
 * for a dot segment: the parts of a request may together make one, and it would leave the path that the rewrite names
 * (`/files../etc`, with the prefix `/files` rewritten to `/public/`).
 */
export function forwardedPath(rewritten: string, normalization: PathNormalization): string | Malformed {
  if (normalization !== "NONE" && DOT_SEGMENT.test(rewritten)) return new Malformed("has a dot segment");
  return canonicalPath(rewritten, normalization);
}

function prefixOf(match: RouteMatch | undefined): string | undefined {
  if (match?.path === undefined) return "/";
  return match.path.kind === "prefix" ? match.path.value : undefined;
}

function join(head: string, tail: string, slashWasInPrefix: boolean): string {
  if (head.endsWith("/") && tail.startsWith("/")) return head + tail.slice(1);
  return slashWasInPrefix && tail !== "" && !head.endsWith("/") && !tail.startsWith("/")
    ? `${head}/${tail}`
    : head + tail;
}

type RedirectAction = Extract<RouteAction, { readonly kind: "redirect" }>;

export interface RedirectedRequest {
  readonly scheme: "http" | "https";
  /** The Host header. */
  readonly authority: string;
  /** `*` for `OPTIONS *`, whose URL has no path (RFC 9110, section 7.1). */
  readonly path: string;
  /** The query with its `?`; empty when there is no query. */
  readonly query: string;
}

/**
 * The Location of a redirect: the request's own URL with the given parts replaced. The query is kept unless
 * the new path has one. The default port of the request's scheme is dropped on a change of scheme, for which
 * it would be wrong.
 */
export function redirectLocation(action: RedirectAction, request: RedirectedRequest): string {
  const scheme = action.scheme ?? request.scheme;
  let authority = action.authority ?? request.authority;
  if (action.port !== undefined) authority = `${withoutPort(authority)}:${action.port}`;
  else if (action.derivePort !== undefined)
    authority = withoutPort(authority) + derivedPort(action, request, scheme);
  else if (scheme !== request.scheme && authority.endsWith(DEFAULT_PORTS[request.scheme]))
    authority = withoutPort(authority);
  const path = action.path ?? (request.path === "*" ? "" : withPrefix(action.prefix, request.path));
  return `${scheme}://${authority}${path}${path.includes("?") ? "" : request.query}`;
}

function withPrefix(prefix: RedirectAction["prefix"], path: string): string {
  if (prefix === undefined || !path.startsWith(prefix.from)) return path;
  return join(prefix.to, path.slice(prefix.from.length), prefix.from.endsWith("/"));
}

const DEFAULT_PORTS = { http: ":80", https: ":443" } as const;

/** The port with its colon; empty for the default port of the new scheme. */
function derivedPort(
  { derivePort }: RedirectAction,
  { authority, scheme }: RedirectedRequest,
  newScheme: string,
): string {
  if (derivePort === "scheme") return "";
  const port = PORT.exec(authority)?.[0] ?? DEFAULT_PORTS[scheme];
  return port === (newScheme === "https" ? DEFAULT_PORTS.https : DEFAULT_PORTS.http) ? "" : port;
}

const PORT = /:\d+$/;

function withoutPort(authority: string): string {
  return authority.replace(PORT, "");
}
