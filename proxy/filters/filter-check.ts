// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import type { RequestFate } from "../../core/quota/quota-charge.ts";
import { shortExplanation } from "../../core/explain/short-text.ts";
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { rateLimitFields, retryAfterSeconds } from "../../core/quota/rate-limit-fields.ts";
import type { DirectResponse } from "../../core/templates/instances.ts";
import type { Exchange } from "../pipeline/exchange.ts";
import {
  denialReply,
  limitReply,
  type LocalReply,
  type ResponseFlag,
  plainReply,
  undecidedReply,
  withExplanation,
} from "../pipeline/local-reply.ts";
import type { PolicyClient, Verdict } from "../policy/verdict.ts";
import { EXPLAIN_HEADER } from "./filter-explain.ts";
import type { Filter } from "./filter.ts";

/** Asks the policies, and says in the response how the quotas stand. */
export function checkFilter(policy: Pick<PolicyClient, "check">): Filter {
  return {
    name: "check",
    onRequest(exchange): MaybePromise<LocalReply | undefined> {
      const { selection, attributes, explainKey } = exchange;
      // A request is checked and charged once: by the last proxy before its destination.
      if (selection?.kind === "forward" && selection.endpoints.assignment.checkedByDestination) {
        if (explainKey !== undefined) exchange.request.headers.set(EXPLAIN_HEADER, explainKey);
        return undefined;
      }
      return chain(policy.check(attributes ?? {}, { explain: explainKey !== undefined }), (verdict) => {
        exchange.verdict = verdict;
        const reply = replyTo(verdict);
        const { explanation } = verdict;
        return reply === undefined || explanation === undefined ? reply : withExplanation(reply, explanation);
      });
    },
    onResponse(exchange, response) {
      const { verdict } = exchange;
      if (verdict?.explanation !== undefined)
        response.headers.set("x-purser-explanation", shortExplanation(verdict.explanation));
      if (verdict === undefined || verdict.quotas.length === 0) return;
      const fields = rateLimitFields(verdict.quotas, exhaustedBy(exchange));
      response.headers.append("ratelimit-policy", fields.policy);
      response.headers.append("ratelimit", fields.standing);
    },
    onComplete(exchange) {
      const fate = exchange.verdict?.giveBack === undefined ? undefined : fateOf(exchange);
      if (fate !== undefined) exchange.verdict?.giveBack?.(fate);
    },
  };
}

/** The flags of replies that the proxy makes because the upstream sent no response. */
const UNANSWERED: readonly ResponseFlag[] = ["NR", "UH", "UF", "UC", "UT", "UO", "FI"];

/** What went wrong with a request that was let through; undefined when nothing did, or when the client left first. */
function fateOf({ response, flags }: Exchange): RequestFate | undefined {
  if (response === undefined || response.status < 500) return undefined;
  return flags.some((flag) => UNANSWERED.includes(flag)) ? "unanswered" : "failure";
}

function replyTo(verdict: Verdict): LocalReply | undefined {
  const { outcome, directResponse } = verdict;
  switch (outcome.kind) {
    case "allow":
      return directResponse === undefined
        ? undefined
        : plainReply(directResponse.httpStatus, "direct_response_by_policy", {
            headers: fieldsOf(directResponse),
            text: directResponse.body,
          });
    case "deny": {
      const denial = denialReply(outcome.status.code, outcome.status.message, outcome.decidedBy);
      if (directResponse === undefined) return denial;
      return plainReply(directResponse.httpStatus, denial.details, {
        flag: "UAEX",
        headers: [...denial.headers, ...fieldsOf(directResponse)],
        text: directResponse.body,
      });
    }
    case "limit":
      return limitReply(outcome.status.message, outcome.decidedBy, retryAfterSeconds(outcome.retryAfterMs));
    case "error":
      return undecidedReply(outcome.code, outcome.status, outcome.decidedBy);
  }
}

/** The headers of a policy's own reply: text there, UTF-8 on the wire. */
function fieldsOf({ headers }: DirectResponse): LocalReply["headers"] {
  return Object.entries(headers).map(([name, value]) => [name, headerBytesOf(value)]);
}

function exhaustedBy({ verdict }: Exchange) {
  if (verdict?.outcome.kind !== "limit") return undefined;
  const { decidedBy, retryAfterMs } = verdict.outcome;
  return { policy: decidedBy.name, retryAfterS: retryAfterSeconds(retryAfterMs) };
}
