// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { ProxyStats } from "../exchange/stats.ts";
import type { PolicyClient } from "../policy/check-result.ts";
import { completeAttributes } from "./filter-attributes.ts";
import type { Filter } from "./filter.ts";

/** Reports every exchange, however it ended: to the mixer for telemetry, and to the proxy's own counters. */
export function reportFilter(
  policy: Pick<PolicyClient, "report">,
  stats: ProxyStats,
  node: ProxyNode,
  clock: Clock,
): Filter {
  return {
    name: "report",
    onResponse(exchange, { status }) {
      if (exchange.upgraded && status === 101) stats.countUpgrade(exchange);
    },
    onComplete(exchange) {
      stats.countRequest(exchange);
      policy.report(completeAttributes(exchange, node, clock.nowMs()));
    },
  };
}
