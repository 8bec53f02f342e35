// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReportOutcome } from "../../../core/hooks/extension.ts";
import type { HandlerDeliverySettings } from "../../../core/snapshot/snapshot.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import { Delivery, type DeliveryOptions } from "../../../delivery/delivery.ts";
import { DropLog } from "../../../delivery/drop-log.ts";
import { Lanes } from "../../../delivery/lanes.ts";
import { MemoryQueue } from "../../../delivery/memory-queue.ts";
import type { DeliveryPort } from "../../../delivery/port.ts";
import type { DeliveryQueue } from "../../../delivery/queue.ts";
import { SpoolQueue } from "../../../delivery/spool/spool-queue.ts";
import type { CallContext } from "../../../kernel/deadline.ts";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { HandlerHost } from "./host.ts";
import { SPOOL_CODEC } from "./spool-codec.ts";

/**
 * Circuit breaker of a backend: consecutive failures that open it, and the maximum time until one call tries
 * again.
 */
const BREAKER = { failures: 5, openMs: 5_000 };

/** Size of a batch's JSON beyond which no further instances join it: a quarter of the 4 MiB that receivers of gRPC take by default. */
const MAX_GROWN_BYTES = 1024 * 1024;

/** An adapter's function for a report template. */
export type Send = (instances: readonly unknown[], call: CallContext) => MaybePromise<ReportOutcome>;

export interface DeliveryTarget {
  /** The handler's name. */
  readonly handler: string;
  readonly template: TemplateName;
  readonly settings: HandlerDeliverySettings;
  /** The file of the handler's document, to which the spool's folder is relative. */
  readonly documentFile: string;
  /** Whether the adapter needs one order for all instances. */
  readonly ordered: boolean;
  /** An instance's key, when the adapter needs an order for each key only. */
  readonly keyOf: ((instance: unknown) => string) | undefined;
  readonly send: Send;
  /** Returns the error of a call that did not settle in time. */
  readonly onTimeout: () => PurserError;
  readonly logger: Logger;
}

/** Delivers the instances of one report template to a handler. */
export function createHandlerDelivery(target: DeliveryTarget, host: HandlerHost): DeliveryPort<unknown> {
  const { settings, ordered, keyOf } = target;
  const { inFlight, queueSize } = settings;
  if (keyOf === undefined || settings.spool !== undefined)
    return createDelivery(target, host, settings, ordered || keyOf !== undefined ? 1 : inFlight);
  // The lanes share the bound of the whole.
  const lane = { ...settings, queueSize: Math.max(1, Math.ceil(queueSize / inFlight)) };
  const lanes = Array.from({ length: inFlight }, () => createDelivery(target, host, lane, 1));
  return new Lanes(lanes, keyOf);
}

function createDelivery(
  target: DeliveryTarget,
  host: HandlerHost,
  settings: HandlerDeliverySettings,
  maxInFlight: number,
): Delivery<unknown> {
  const { handler, template, send } = target;
  const { clock, random, scheduler, metrics } = host;
  const counts = metrics.deliveryEvents(handler, template);
  const logger = target.logger.child({ template });
  const dropLog = new DropLog(logger, clock);
  const options: DeliveryOptions<unknown> = {
    settings,
    send: ({ items }, call) => send(items, call),
    onTimeout: target.onTimeout,
    breaker: BREAKER,
    growth: { maxItems: settings.maxBatchSize, maxBytes: MAX_GROWN_BYTES, sizeOf: jsonBytes },
    maxInFlight,
    inOrder: maxInFlight === 1,
    drop: settings.overflow === "drop-newest" ? "newest" : "oldest",
    queue: queueFor(target, host, settings, logger),
    events: {
      sending: counts.sending,
      delivered: counts.delivered,
      dropped(items, reason, error) {
        counts.dropped(items, reason);
        dropLog.dropped(items, reason, error);
      },
      closed: () => dropLog.flush(),
    },
    clock,
    random,
    scheduler,
  };
  return new Delivery(options);
}

function queueFor(
  { handler, template, documentFile }: DeliveryTarget,
  { clock, scheduler, spoolFiles }: HandlerHost,
  settings: HandlerDeliverySettings,
  logger: Logger,
): DeliveryQueue<unknown> {
  const { spool, batchBytes, overflow, queueSize } = settings;
  if (spool === undefined) return new MemoryQueue(clock, batchBytes === undefined ? undefined : jsonBytes);
  const { directory, maxBytes, fsync, onDiskFailure } = spool;
  return new SpoolQueue({
    files: spoolFiles(documentFile, [directory, encodeURIComponent(handler), template]),
    codec: SPOOL_CODEC,
    maxItemsInMemory: queueSize,
    maxBytes,
    drop: overflow === "drop-newest" ? "newest" : "oldest",
    writes: settings.class === "at-least-once" ? "all" : "excess",
    onDiskFailure,
    fsync,
    onFault(error) {
      if (error === undefined) logger.info("the spool takes writes again", { directory });
      else
        logger.error("the spool cannot be written: telemetry may be lost with this process", {
          directory,
          onDiskFailure,
          error: messageOf(error),
        });
    },
    onDamage: (report, items) =>
      logger.error("a part of the spool is damaged and is skipped", { directory, report, items }),
    clock,
    scheduler,
  });
}

/** Size of an instance's JSON, as a measure of batches; 0 for a value that has none. */
function jsonBytes(instance: unknown): number {
  try {
    return JSON.stringify(instance).length;
  } catch {
    return 0;
  }
}

export function handlerTimeout(handler: string, timeoutMs: number): PurserError {
  return new PurserError(
    "PURSER_HANDLER_TIMEOUT",
    `handler ${handler} did not answer within ${timeoutMs} ms`,
    { details: { handler, timeoutMs } },
  );
}
