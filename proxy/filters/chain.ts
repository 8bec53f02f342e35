// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock, Random, Scheduler } from "../../kernel/ports.ts";
import type { ProxyStats } from "../exchange/stats.ts";
import type { ExplainKey } from "./explain-key.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import {
  DEFAULT_UNDERSCORES_ACTION,
  type HeadersWithUnderscoresAction,
} from "../transport/fields/underscore-names.ts";
import type { LocalReply } from "../exchange/local-reply.ts";
import type { PolicyClient } from "../policy/check-result.ts";
import { attributesFilter } from "./filter-attributes.ts";
import { checkFilter } from "./filter-check.ts";
import { explainFilter } from "./filter-explain.ts";
import { faultFilter } from "./filter-fault.ts";
import { forwardedFilter } from "./filter-forwarded.ts";
import { headersFilter } from "./filter-headers.ts";
import { reportFilter } from "./filter-report.ts";
import { requestIdFilter } from "./filter-request-id.ts";
import { routeFilter } from "./filter-route.ts";
import { traceContextFilter } from "./filter-trace-context.ts";
import { validateFilter } from "./filter-validate.ts";
import type { Filter } from "./filter.ts";

interface FilterServices {
  readonly node: ProxyNode;
  readonly policy: Pick<PolicyClient, "check" | "report">;
  readonly stats: ProxyStats;
  /** Absent when no request may ask for reasons. */
  readonly explainKey?: ExplainKey;
  /** Default REJECT_REQUEST. */
  readonly headersWithUnderscoresAction?: HeadersWithUnderscoresAction;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** A fresh UUID. */
  readonly newId: () => string;
}

/** The filters up to the attributes, which make of a request what the check decides by. */
export function filtersBeforeCheck(
  services: Pick<FilterServices, "node" | "random" | "newId" | "explainKey" | "headersWithUnderscoresAction">,
): readonly Filter[] {
  const { node, random, newId, explainKey } = services;
  const { headersWithUnderscoresAction = DEFAULT_UNDERSCORES_ACTION } = services;
  return [
    // First of all, so that whatever happens to the request from here on can be found by its id.
    requestIdFilter(newId),
    // With the id: a refused request is part of a trace too.
    traceContextFilter(random),
    // Before anything reads target or headers: everything below relies on their meaning one thing only. Also rids the
    // request of hop-by-hop headers, before the proxy adds headers of its own that `connection` could name.
    validateFilter(headersWithUnderscoresAction),
    // Before an edge rids the request of headers like this one, and before the attributes, which must not hold the key.
    explainFilter(explainKey),
    // Who the client is, and what it may not tell us. Before routing, which may match on these headers.
    forwardedFilter(),
    // Before the attributes, which name the destination.
    routeFilter(random),
    // Right before the check, so that policies see the headers that will go upstream; after it nobody reads the request.
    attributesFilter(node),
  ];
}

/** The way of every request through the proxy, from the top down; of every response, from the bottom up. */
export function filterChain(services: FilterServices): readonly Filter[] {
  const { node, policy, stats, clock, random, scheduler } = services;
  return [
    ...filtersBeforeCheck(services),
    // Before anything that costs the upstream or delays the client: what is refused ends here.
    checkFilter(policy),
    // After the check, which brings operations of its own, and whose policies judge the path that the client asked for and
    // not what a rewrite makes of it.
    headersFilter(),
    // After the check, unlike Envoy's: an experiment with faults must not be open to those who may not call the service.
    faultFilter(random, scheduler),
    // Last, so that its response is complete; it only listens for the end of the exchange.
    reportFilter(policy, stats, node, clock),
  ];
}

/** Runs the request down the chain, without leaving the call stack for as long as no filter has to wait. */
export function filterRequest(
  filters: readonly Filter[],
  exchange: Exchange,
  from = 0,
): MaybePromise<LocalReply | undefined> {
  for (let index = from; index < filters.length; index++) {
    const result = filters[index]?.onRequest?.(exchange);
    if (result === undefined) continue;
    if (!isPromise(result)) return result;
    return result.then((reply) => reply ?? filterRequest(filters, exchange, index + 1));
  }
  return undefined;
}

/** Runs a response's head up the chain. */
export function filterResponse(filters: readonly Filter[], exchange: Exchange, response: ResponseHead): void {
  for (let index = filters.length - 1; index >= 0; index--) filters[index]?.onResponse?.(exchange, response);
}

/** Takes away the fields that may not follow a request's body. */
export function filterRequestTrailers(
  filters: readonly Filter[],
  exchange: Exchange,
  trailers: HeaderList,
): void {
  for (const filter of filters) filter.onRequestTrailers?.(exchange, trailers);
}

/** Takes away the fields that may not follow a response's body. */
export function filterResponseTrailers(
  filters: readonly Filter[],
  exchange: Exchange,
  trailers: HeaderList,
): void {
  for (let index = filters.length - 1; index >= 0; index--) {
    filters[index]?.onResponseTrailers?.(exchange, trailers);
  }
}

/** Tells the whole chain that the exchange is over. */
export function completeExchange(filters: readonly Filter[], exchange: Exchange): void {
  for (const filter of filters) filter.onComplete?.(exchange);
}
