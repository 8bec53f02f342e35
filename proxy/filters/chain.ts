// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Clock, Random, Scheduler } from "../../kernel/ports.ts";
import { randomHexSource } from "../exchange/random-hex.ts";
import type { ProxyStats } from "../exchange/stats.ts";
import type { ExplainKey } from "./explain-key.ts";
import {
  DEFAULT_UNDERSCORES_ACTION,
  type HeadersWithUnderscoresAction,
} from "../transport/fields/underscore-names.ts";
import type { PolicyClient } from "../policy/check-result.ts";
import { attributesFilter, NodeAttributes, type OwnIdentity } from "./filter-attributes.ts";
import { authenticateFilter, type CountAuthentication } from "./filter-authenticate.ts";
import { checkFilter } from "./filter-check.ts";
import { explainFilter } from "./filter-explain.ts";
import { faultFilter } from "./filter-fault.ts";
import { forwardedFilter } from "./filter-forwarded.ts";
import { headersFilter } from "./filter-headers.ts";
import { overloadFilter } from "./filter-overload.ts";
import { reportFilter } from "./filter-report.ts";
import { requestIdFilter } from "./filter-request-id.ts";
import { route, routeFilter } from "./filter-route.ts";
import { traceContextFilter } from "./filter-trace-context.ts";
import { validateFilter } from "./filter-validate.ts";
import { viaFilter } from "./filter-via.ts";
import type { Filter } from "./filter.ts";
import { FilterChain } from "./filter-chain.ts";

interface FilterServices {
  readonly node: ProxyNode;
  readonly policy: Pick<PolicyClient, "check" | "guardsGateways" | "report">;
  readonly stats: ProxyStats;
  /** Absent when no request may ask for an explanation. */
  readonly explainKey?: ExplainKey;
  /** Default REJECT_REQUEST. */
  readonly headersWithUnderscoresAction?: HeadersWithUnderscoresAction;
  /** The proxy's name in `via`; undefined to leave the field alone. */
  readonly via?: string | undefined;
  /** The proxy's own identity; undefined for a proxy without a workload's certificate. */
  readonly workload?: OwnIdentity | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Default: the results are not counted. */
  readonly countAuthentication?: CountAuthentication;
  /** Returns a fresh UUID. */
  readonly newId: () => string;
}

/** The filters that run before the check: they turn a request into the attributes that policies decide by. */
export function filtersBeforeCheck(
  services: Pick<
    FilterServices,
    | "node"
    | "random"
    | "newId"
    | "explainKey"
    | "headersWithUnderscoresAction"
    | "via"
    | "workload"
    | "countAuthentication"
  >,
): readonly Filter[] {
  const { node, random, newId, explainKey, via, workload } = services;
  const { headersWithUnderscoresAction = DEFAULT_UNDERSCORES_ACTION } = services;
  return [
    // First, so that the request can be found by its id whatever happens to it later.
    requestIdFilter(newId),
    // Next to the id: a refused request is part of a trace, too.
    traceContextFilter(randomHexSource(), random),
    // Before every filter that reads the target or headers, so that their meaning is unambiguous. Also
    // removes hop-by-hop headers, before the proxy adds headers of its own that `connection` could name.
    validateFilter(headersWithUnderscoresAction),
    // Before anything else is spent on a request that goes round in a loop.
    viaFilter(via),
    // Before the edge removes headers like x-purser-explain, and before the attributes, which must not hold
    // the key.
    explainFilter(explainKey),
    // Determines the client's address and removes client claims. Before routing, which may match on these
    // headers.
    forwardedFilter(workload),
    // Before the attributes, which include the destination.
    routeFilter(random),
    // After the route filter, which answers CORS preflights, that have no token. Before the attributes, which include the user
    // and must not include the token.
    authenticateFilter(services.countAuthentication ?? (() => {})),
    // Right before the check, so that policies see the headers that go upstream; later filters do not read
    // the request.
    attributesFilter(new NodeAttributes(node, workload)),
  ];
}

/** The filter chain of every request, from the first filter to the last; of every response in reverse. */
export function filterChain(services: FilterServices): FilterChain {
  const { node, policy, stats, clock, random, scheduler, workload } = services;
  return new FilterChain([
    ...filtersBeforeCheck(services),
    // Before the check, so that a request that is shed costs no decision and no quota. Behind the filters above, since its
    // priority is an expression over the attributes.
    overloadFilter(),
    // Before every filter that costs the upstream or delays the client: a refused request ends here.
    checkFilter(policy, (exchange) => route(exchange, random)),
    // After the check, whose verdict brings header operations, and whose policies judge the path that the
    // client asked for and not the rewritten path.
    headersFilter(),
    // After the check, unlike in Envoy: clients that may not call the service must not trigger fault
    // injection.
    faultFilter(random, scheduler),
    // Last, so that its onResponse runs first and its onComplete sees the complete exchange.
    reportFilter(policy, stats, new NodeAttributes(node, workload), clock),
  ]);
}
