// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { AttributeGroup } from "../../core/attributes/request-group.ts";
import type { RequestFate } from "../../core/quota/quota-definition.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ResponseFlag } from "../exchange/local-reply.ts";
import type { CheckResult } from "../policy/check-result.ts";

/** Settles the charges that depend on how the exchange ended. The response's body is seen by them alone. */
export function settleCharges(exchange: Exchange, bag: AttributeBag): void {
  const settlement = exchange.verdict?.settlement;
  if (settlement === undefined) return;
  const body = exchange.bodyReader?.value;
  const settled =
    body === undefined ? bag : { ...bag, response: { ...(bag["response"] as AttributeGroup), body } };
  settlement.settle(fateOf(exchange), settled);
}

/**
 * Settles the charges of a request whose client left while it was checked: its exchange has ended without them, and no
 * upstream has seen it.
 */
export function settleUnsent({ attributes = {} }: Exchange, { settlement }: CheckResult): undefined {
  settlement?.settle("unanswered", attributes);
}

/** Response flags of replies that the proxy makes because the upstream sent no response. */
const UNANSWERED: readonly ResponseFlag[] = ["NR", "NC", "UH", "UF", "UC", "UT", "UO", "OM", "FI"];

/** The failure of an allowed request; undefined for a success, and when the client left first. */
function fateOf({ response, flags }: Exchange): RequestFate | undefined {
  if (response === undefined || response.status < 500) return undefined;
  return flags.some((flag) => UNANSWERED.includes(flag)) ? "unanswered" : "failure";
}
