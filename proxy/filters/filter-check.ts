// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { shortExplanation } from "../../core/explain/short-text.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { DEFAULT_RATE_LIMIT_SETTINGS } from "../../kernel/rate-limit-settings.ts";
import { isForwarded } from "../../core/verdict/reply.ts";
import { grpcStatusOf } from "../../core/verdict/grpc-status.ts";
import { bodyReaderFor } from "../exchange/body-reader.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { grpcContentType, grpcReply } from "../exchange/grpc-reply.ts";
import { type LocalReply, verdictReply } from "../exchange/local-reply.ts";
import type { BeyondResult, CheckOptions, CheckResult, PolicyClient } from "../policy/check-result.ts";
import { EXPLAIN_HEADER } from "./filter-explain.ts";
import { applyOperations } from "./filter-headers.ts";
import type { Filter } from "./filter.ts";
import { gatewayAttributes } from "./gateway-attributes.ts";
import { writeRateLimitHeaders } from "./rate-limit-headers.ts";
import { settleUnsent } from "./settle-charges.ts";

/** Picks the route of a request anew, after its headers have changed. */
export type Reroute = (exchange: Exchange) => LocalReply | undefined;

/**
 * Asks the policies for the verdict, and sets the quota's RateLimit fields in the response. Reads the
 * response's body when a charge depends on it. A degraded request gets its headers and is routed anew, once; the
 * attributes stay those that the policies saw.
 */
export function checkFilter(
  policy: Pick<PolicyClient, "check" | "guardsGateways">,
  reroute: Reroute,
): Filter {
  return {
    name: "check",
    onRequest(exchange): MaybePromise<LocalReply | undefined> {
      const { selection, attributes, explainKey } = exchange;
      // Each request is checked and charged once: by the last proxy before its destination.
      if (selection?.kind === "forward" && selection.endpoints.assignment.checkedByDestination) {
        if (explainKey !== undefined) exchange.request.headers.set(EXPLAIN_HEADER, explainKey);
        if (!policy.guardsGateways) return undefined;
        exchange.checkedAttributes = gatewayAttributes(attributes ?? {});
        if (exchange.checkedAttributes === undefined) return undefined;
      }
      const options = explainKey === undefined ? NOT_EXPLAINED : EXPLAINED;
      const verdict = policy.check(exchange.checkedAttributes ?? attributes ?? {}, options, exchange);
      return isPromise(verdict)
        ? verdict.then((known) =>
            exchange.finished ? settleUnsent(exchange, known) : judge(exchange, known, reroute),
          )
        : judge(exchange, verdict, reroute);
    },
    onResponse(exchange, response) {
      const { verdict } = exchange;
      if (verdict?.settlement?.readsBody === true) exchange.bodyReader = bodyReaderFor(response);
      if (verdict?.explanation !== undefined)
        response.headers.set("x-purser-explanation", shortExplanation(verdict.explanation));
      // The local reply of a refusal has the quota's fields already.
      if (verdict === undefined || !isForwarded(verdict)) return;
      const settings = exchange.listener.rateLimitHeaders ?? DEFAULT_RATE_LIMIT_SETTINGS;
      writeRateLimitHeaders(response.headers, verdict, settings);
    },
  };
}

const EXPLAINED: CheckOptions = { explain: true };
const NOT_EXPLAINED: CheckOptions = { explain: false };

/** The local reply of a verdict that ends the exchange. */
function judge(exchange: Exchange, verdict: CheckResult, reroute: Reroute): LocalReply | undefined {
  exchange.verdict = verdict;
  // A compressed body could not be read.
  if (verdict.settlement?.readsBody === true) exchange.request.headers.set("accept-encoding", "identity");
  const { rateLimitHeaders } = exchange.listener;
  const reply = verdictReply(verdict, rateLimitHeaders);
  if (reply === undefined) return degrade(exchange, verdict.beyond, reroute);
  const contentType = grpcContentType(exchange.request.headers.get("content-type"));
  return contentType === undefined ? reply : grpcReply(reply, grpcStatusOf(verdict), contentType);
}

/** Sets the headers of a degraded request, and routes it anew. */
function degrade(
  exchange: Exchange,
  beyond: BeyondResult | undefined,
  reroute: Reroute,
): LocalReply | undefined {
  if (beyond === undefined || beyond.headers.length === 0) return undefined;
  applyOperations(
    beyond.headers.map(({ name, value }) => ({ operation: "set", name, value })),
    exchange.request.headers,
  );
  return reroute(exchange);
}
