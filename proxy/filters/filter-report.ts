// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../kernel/ports.ts";
import type { ProxyStats } from "../exchange/stats.ts";
import type { PolicyClient } from "../policy/check-result.ts";
import { completeAttributes } from "./complete-attributes.ts";
import { settleCharges } from "./settle-charges.ts";
import type { NodeAttributes } from "./filter-attributes.ts";
import type { Filter } from "./filter.ts";

/** Settles the charges of every exchange, and reports it, however it ended: to the mixer for telemetry, and to the proxy's own counters. */
export function reportFilter(
  policy: Pick<PolicyClient, "report">,
  stats: ProxyStats,
  node: NodeAttributes,
  clock: Clock,
): Filter {
  return {
    name: "report",
    onResponse(exchange, { status }) {
      if (exchange.upgraded && status === 101) stats.countUpgrade(exchange);
    },
    onComplete(exchange) {
      stats.countRequest(exchange);
      const bag = completeAttributes(exchange, node, clock.nowMs());
      settleCharges(exchange, bag);
      policy.report(bag);
    },
  };
}
