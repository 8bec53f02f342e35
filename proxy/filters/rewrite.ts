// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "../../kernel/canonical/malformed.ts";
import { forwardedPath, rewritePath } from "../../core/traffic/request-target.ts";
import type { MatchedRoute } from "../../core/traffic/route-table.ts";
import type { Exchange, ForwardAction } from "../exchange/exchange.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import { matchTooLongReply } from "./match-too-long.ts";

/** Rewrites the request's path and authority; returns the local reply for a path that cannot be forwarded. */
export function applyRewrite(
  { request, listener }: Exchange,
  { match, regexRewrite }: MatchedRoute,
  { path, authority }: NonNullable<ForwardAction["rewrite"]>,
): LocalReply | undefined {
  if (authority !== undefined) request.headers.set("host", authority);
  // `OPTIONS *` has no path.
  if (path === undefined || request.path === "*") return undefined;
  const { pathNormalization } = listener;
  try {
    const rewritten =
      path.kind === "regex"
        ? (regexRewrite?.rewrite(request.path, pathNormalization) ?? request.path)
        : forwardedPath(rewritePath(request.path, path, match), pathNormalization);
    if (rewritten instanceof Malformed)
      return errorReply("rewrite_malformed", `The path, as the route rewrites it, ${rewritten.reason}.`);
    request.path = rewritten;
    return undefined;
  } catch (error: unknown) {
    return matchTooLongReply(error);
  }
}
