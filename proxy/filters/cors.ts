// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CompiledCors } from "../../core/traffic/cors.ts";
import type { CorsDecision, Exchange } from "../exchange/exchange.ts";
import { type LocalReply, plainReply } from "../exchange/local-reply.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";

// CORS for the route and headers filters, which call these functions only for routes with a policy, so that
// other requests pass no further filter.

/**
 * Decides whether the route's policy allows the request's origin, and returns the reply to a preflight.
 *
 * A preflight is answered before the policies are asked. Browsers send preflights without credentials (Fetch,
 * "CORS-preflight fetch"), so that a policy that needs an identity would refuse them all; the reply holds
 * nothing but the document's own text, and the upstream is not called. Envoy in Istio's order asks its
 * authorization first, and only its JWT filter lets preflights pass.
 */
export function decideCors(exchange: Exchange, policy: CompiledCors): LocalReply | undefined {
  const { method, headers } = exchange.request;
  // A browser sends one Origin. Several would be joined for the upstream, so none of them is believed.
  const origin = headers.count("origin") === 1 ? (headers.get("origin") ?? "") : "";
  if (origin === "") {
    exchange.cors = { policy, request: "same-origin", allowedOrigin: undefined };
    return undefined;
  }
  const allowedOrigin = policy.allowedOrigin(origin);
  const isPreflight = method === "OPTIONS" && (headers.get("access-control-request-method") ?? "") !== "";
  exchange.cors = { policy, request: isPreflight ? "preflight" : "actual", allowedOrigin };
  if (!isPreflight) return undefined;
  if (allowedOrigin !== undefined)
    return plainReply(200, "cors_preflight", { headers: policy.preflightFields });
  return policy.forwardsUnmatchedPreflights ? undefined : plainReply(200, "cors_preflight_unmatched");
}

/**
 * Writes the fields of every response to an allowed origin, in place of the upstream's own; they go out with local
 * replies too, so that a page can read the reason of a refusal. The response to another origin stays as it is.
 */
export function writeCorsHeaders(headers: HeaderList, decision: CorsDecision): void {
  const { policy, request, allowedOrigin } = decision;
  if (policy.variesByOrigin && !varies(headers.get("vary"))) headers.append("vary", "origin");
  if (allowedOrigin === undefined) return;
  headers.set("access-control-allow-origin", allowedOrigin);
  // An upstream that allows credentials does not know which origins this policy allows.
  if (policy.allowCredentials) headers.set("access-control-allow-credentials", "true");
  else headers.remove("access-control-allow-credentials");
  if (request === "actual") for (const [name, value] of policy.exposedFields) headers.set(name, value);
}

function varies(field: string | undefined): boolean {
  return field !== undefined && /(?:^|,)[ \t]*(?:origin|\*)[ \t]*(?:,|$)/i.test(field);
}
