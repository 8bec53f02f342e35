// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathRewrite, RouteAction, RouteMatch } from "./resources/route.ts";

/** What becomes of a request's target: rewritten on its way, or turned into a redirect's Location. */

/**
 * The path to forward. A prefix rewrite replaces what the match's prefix matched; a request that was
 * matched otherwise has its whole path replaced, as in Envoy. In one thing this differs from Envoy, whose bare
 * concatenation is a known trap: where a slash belongs between the two parts there is exactly one, so `/` to `/v1` makes `/v1/x` of `/x`,
 * and `/ratings` to `/` makes `/x` of `/ratings/x`.
 *
 * @param path Without the query, which is kept as it is.
 * @param match Which of the route's matches held; undefined when it has none, which means the prefix `/`.
 */
export function rewritePath(path: string, rewrite: PathRewrite, match: RouteMatch | undefined): string {
  const prefix = prefixOf(match);
  if (rewrite.kind === "whole" || prefix === undefined) return rewrite.value;
  return join(rewrite.value, path.slice(prefix.length), prefix.endsWith("/"));
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

export interface RedirectedRequest {
  readonly scheme: "http" | "https";
  /** The Host header. */
  readonly authority: string;
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

/**
 * The Location of a redirect: the request's own URL with the given parts replaced. The query is kept unless the new
 * path brings one. A port that is the default of the request's scheme does not survive a change of scheme: it would
 * name the wrong one.
 */
export function redirectLocation(
  action: Extract<RouteAction, { readonly kind: "redirect" }>,
  request: RedirectedRequest,
): string {
  const scheme = action.scheme ?? request.scheme;
  const defaultPort = request.scheme === "http" ? ":80" : ":443";
  let authority = action.authority ?? request.authority;
  if (action.port !== undefined) authority = `${withoutPort(authority)}:${action.port}`;
  else if (scheme !== request.scheme && authority.endsWith(defaultPort)) authority = withoutPort(authority);
  const path = action.path ?? request.path;
  return `${scheme}://${authority}${path}${path.includes("?") ? "" : request.query}`;
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d+$/, "");
}
