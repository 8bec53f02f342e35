// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RequestFate } from "../../core/quota/quota-definition.ts";
import { shortExplanation } from "../../core/explain/short-text.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { isForwarded, rateLimitOf } from "../../core/verdict/reply.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { type LocalReply, type ResponseFlag, verdictReply } from "../exchange/local-reply.ts";
import type { CheckOptions, CheckResult, PolicyClient } from "../policy/check-result.ts";
import { EXPLAIN_HEADER } from "./filter-explain.ts";
import type { Filter } from "./filter.ts";

/** Asks the policies for the verdict, and sets the quota's RateLimit fields in the response. */
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
      if (verdict?.explanation !== undefined)
        response.headers.set("x-purser-explanation", shortExplanation(verdict.explanation));
      // The local reply of a refusal has the quota's fields already.
      if (verdict === undefined || !isForwarded(verdict)) return;
      const fields = rateLimitOf(verdict);
      if (fields === undefined) return;
      response.headers.appendPlain("ratelimit-policy", fields.policy);
      response.headers.appendPlain("ratelimit", fields.standing);
    },
    onComplete(exchange) {
      const fate = exchange.verdict?.giveBack === undefined ? undefined : fateOf(exchange);
      if (fate !== undefined) exchange.verdict?.giveBack?.(fate);
    },
  };
}

const EXPLAINED: CheckOptions = { explain: true };
const NOT_EXPLAINED: CheckOptions = { explain: false };

/** The local reply of a verdict that ends the exchange. */
function judge(exchange: Exchange, verdict: CheckResult): LocalReply | undefined {
  exchange.verdict = verdict;
  return verdictReply(verdict);
}

/** Response flags of replies that the proxy makes because the upstream sent no response. */
const UNANSWERED: readonly ResponseFlag[] = ["NR", "UH", "UF", "UC", "UT", "UO", "FI"];

/** The failure of an allowed request; undefined for a success, and when the client left first. */
function fateOf({ response, flags }: Exchange): RequestFate | undefined {
  if (response === undefined || response.status < 500) return undefined;
  return flags.some((flag) => UNANSWERED.includes(flag)) ? "unanswered" : "failure";
}
