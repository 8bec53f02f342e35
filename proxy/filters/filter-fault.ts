// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random, Scheduler } from "../../kernel/ports.ts";
import { drawFault } from "../../core/traffic/chance.ts";
import { faultInjectedReply } from "../exchange/local-reply.ts";
import type { Filter } from "./filter.ts";

/** Injects the delay or abort of a route's fault rule. */
export function faultFilter(random: Random, scheduler: Scheduler): Filter {
  return {
    name: "fault",
    onRequest(exchange) {
      const { delayMs, abort } = drawFault(exchange.selection?.matched.route.fault, random);
      const reply = abort === undefined ? undefined : faultInjectedReply(abort.status, abort.grpcStatus);
      if (delayMs === 0) return reply;
      exchange.flag("DI");
      return new Promise((resolve) => {
        const cancel = scheduler.after(delayMs, () => resolve(reply));
        // Cancel the timer when the client leaves during the delay.
        exchange.onceFinished(() => {
          cancel();
          resolve(undefined);
        });
      });
    },
  };
}
