// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import type { Overload } from "../upstream/overload.ts";
import type { Place } from "../upstream/overload-gate.ts";
import type { Filter } from "./filter.ts";

/**
 * Gives each request to an overloaded destination its place, or sheds it. The last proxy before the destination does so,
 * as with the check: only there are all of its requests seen.
 */
export function overloadFilter(): Filter {
  return {
    name: "overload",
    onRequest(exchange): MaybePromise<LocalReply | undefined> {
      const { selection } = exchange;
      if (selection?.kind !== "forward") return undefined;
      const { overload } = selection.cluster;
      if (overload === undefined || selection.endpoints.assignment.checkedByDestination) return undefined;
      return chain(enter(exchange, overload), (place) => {
        if (place === undefined)
          return errorReply(
            "overloaded",
            `${selection.cluster.service.name} has more requests than it can answer.`,
          );
        exchange.place = place;
        if (exchange.finished) place.leave();
        else exchange.onceFinished(() => place.leave());
        return undefined;
      });
    },
    onResponse(exchange, response) {
      const { place } = exchange;
      if (place === undefined) return;
      if (tellsLatency(exchange, response.status)) place.answered();
      // The bytes of another protocol may flow for days.
      if (response.status === 101) place.leave();
    },
  };
}

function enter(exchange: Exchange, overload: Overload): MaybePromise<Place | undefined> {
  return chain(overload.priorityOf(exchange.attributes ?? {}), (priority) =>
    overload.gate.enter(priority, exchange),
  );
}

/** A failure may be quick, and would make an ill upstream look fast; a timeout counts for as long as it was. */
function tellsLatency({ details, flags }: Exchange, status: number): boolean {
  return details === "via_upstream" ? status < 500 : flags.includes("UT");
}
