// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReportOutcome } from "../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import type { DeliverySettings } from "../../../core/snapshot/snapshot.ts";
import { Delivery } from "../../../delivery/delivery.ts";
import { DropLog } from "../../../delivery/drop-log.ts";
import type { CallContext } from "../../../kernel/deadline.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { HandlerHost } from "./host.ts";

/**
 * Circuit breaker of a backend: consecutive failures that open it, and the maximum time until one call tries
 * again.
 */
const BREAKER = { failures: 5, openMs: 5_000 };

/** An adapter's function for a report template. */
export type Send = (instances: readonly unknown[], call: CallContext) => MaybePromise<ReportOutcome>;

export interface DeliveryTarget {
  /** The handler's name. */
  readonly handler: string;
  readonly template: TemplateName;
  readonly settings: DeliverySettings;
  readonly send: Send;
  readonly logger: Logger;
}

/** Delivers the instances of one report template to a handler: in order, one batch at a time. */
export function createHandlerDelivery(
  { handler, template, settings, send, logger }: DeliveryTarget,
  { clock, random, scheduler, metrics }: HandlerHost,
): Delivery<unknown> {
  const counts = metrics.deliveryEvents(handler, template);
  const dropLog = new DropLog(logger.child({ template }), clock);
  return new Delivery({
    settings,
    send: ({ items }, call) => send(items, call),
    onTimeout: () => handlerTimeout(handler, settings.timeoutMs),
    breaker: BREAKER,
    events: {
      sending: counts.sending,
      dropped(batch, reason, error) {
        counts.dropped(batch, reason, error);
        dropLog.dropped(batch.items.length, reason, error);
      },
      closed: () => dropLog.flush(),
    },
    clock,
    random,
    scheduler,
  });
}

export function handlerTimeout(handler: string, timeoutMs: number): PurserError {
  return new PurserError(
    "PURSER_HANDLER_TIMEOUT",
    `handler ${handler} did not answer within ${timeoutMs} ms`,
    { details: { handler, timeoutMs } },
  );
}
