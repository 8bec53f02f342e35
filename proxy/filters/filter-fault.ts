// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random, Scheduler } from "../../kernel/ports.ts";
import { drawFault } from "../../core/traffic/chance.ts";
import { faultInjectedReply, type LocalReply } from "../exchange/local-reply.ts";
import type { Filter } from "./filter.ts";

/** Delays and aborts that a route's fault rule asks for. */
export function faultFilter(random: Random, scheduler: Scheduler): Filter {
  return {
    name: "fault",
    onRequest(exchange) {
      const { delayMs, abortStatus } = drawFault(exchange.selection?.matched.route.fault, random);
      if (delayMs === 0) return abort(abortStatus);
      exchange.flag("DI");
      return new Promise((resolve) => {
        const cancel = scheduler.after(delayMs, () => resolve(abort(abortStatus)));
        // A client that leaves must not leave its delay behind.
        exchange.onceFinished(() => {
          cancel();
          resolve(undefined);
        });
      });
    },
  };
}

function abort(status: number | undefined): LocalReply | undefined {
  return status === undefined ? undefined : faultInjectedReply(status);
}
