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
import type { CheckOptions, CheckResult, PolicyClient } from "../policy/check-result.ts";
import { EXPLAIN_HEADER } from "./filter-explain.ts";
import type { Filter } from "./filter.ts";
import { writeRateLimitHeaders } from "./rate-limit-headers.ts";

/**
 * Asks the policies for the verdict, and sets the quota's RateLimit fields in the response. Reads the
 * response's body when a charge depends on it.
 */
export function checkFilter(policy: Pick<PolicyClient, "check">): Filter {
  return {
    name: "check",
    onRequest(exchange): MaybePromise<LocalReply | undefined> {
      const { selection, attributes, explainKey } = exchange;
      // Each request is checked and charged once: by the last proxy before its destination.
      if (selection?.kind === "forward" && selection.endpoints.assignment.checkedByDestination) {
        if (explainKey !== undefined) exchange.request.headers.set(EXPLAIN_HEADER, explainKey);
        return undefined;
      }
      const verdict = policy.check(attributes ?? {}, explainKey === undefined ? NOT_EXPLAINED : EXPLAINED);
      return isPromise(verdict) ? verdict.then((known) => judge(exchange, known)) : judge(exchange, verdict);
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
function judge(exchange: Exchange, verdict: CheckResult): LocalReply | undefined {
  exchange.verdict = verdict;
  // A compressed body could not be read.
  if (verdict.settlement?.readsBody === true) exchange.request.headers.set("accept-encoding", "identity");
  const { rateLimitHeaders } = exchange.listener;
  const reply = verdictReply(verdict, rateLimitHeaders);
  if (reply === undefined) return undefined;
  const contentType = grpcContentType(exchange.request.headers.get("content-type"));
  return contentType === undefined ? reply : grpcReply(reply, grpcStatusOf(verdict), contentType);
}
