// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { redactSecrets } from "../../core/hooks/secrets.ts";
import type { HandlerStatus, MixerStatus, QueueStatus } from "../../api/mixer-status.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import type { DeliveryStats } from "../../delivery/stats.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import type { Handler } from "./handlers/handler.ts";
import type { HandlerTable } from "./handlers/handler-table.ts";

/** Maximum time for a handler's health check. */
const HEALTH_DEADLINE_MS = 1_000;

export async function statusOf(mixer: {
  readonly ready: boolean;
  readonly snapshot: Snapshot | undefined;
  readonly appliedAtMs: number | undefined;
  readonly rejection: MixerStatus["rejection"];
  readonly table: HandlerTable;
  readonly proxies: number;
  readonly scheduler: Scheduler;
}): Promise<MixerStatus> {
  const { ready, snapshot, appliedAtMs, rejection, table, proxies, scheduler } = mixer;
  return {
    ready,
    ...(snapshot === undefined ? {} : { version: snapshot.version }),
    ...(appliedAtMs === undefined ? {} : { appliedAtMs }),
    ...(rejection === undefined ? {} : { rejection }),
    documents: (snapshot?.documents ?? []).map(
      ({ spec: _spec, metadata: _metadata, ...document }) => document,
    ),
    handlers: await handlerStatuses(table, scheduler),
    proxies,
  };
}

export async function handlerStatuses(
  table: HandlerTable,
  scheduler: Scheduler,
): Promise<readonly HandlerStatus[]> {
  return await Promise.all(
    [...table.entries.values()].map(({ handler }) => handlerStatus(handler, scheduler)),
  );
}

async function handlerStatus(handler: Handler, scheduler: Scheduler): Promise<HandlerStatus> {
  const { definition, config } = handler.declaration;
  return {
    name: handler.name,
    extension: definition.extension,
    of: definition.name,
    config: redactSecrets(definition.config, config),
    health: await healthOf(handler, scheduler),
    queues: [...handler.deliveries].map(([template, { stats }]) => ({
      template,
      class: handler.declaration.delivery.class,
      ...queueNumbers(stats),
    })),
  };
}

function queueNumbers({ lastError, ...numbers }: DeliveryStats): Omit<QueueStatus, "template" | "class"> {
  if (lastError === undefined) return numbers;
  const { message, atMs } = lastError;
  return { ...numbers, lastError: { message, time: new Date(atMs).toISOString() } };
}

async function healthOf({ built }: Handler, scheduler: Scheduler): Promise<HandlerStatus["health"]> {
  if (built.kind === "plugin" || built.handler.healthy === undefined) return "unknown";
  const { handler } = built;
  try {
    const late = () => new PurserError("PURSER_HANDLER_TIMEOUT", "no health within the deadline");
    return (await withDeadline(scheduler, HEALTH_DEADLINE_MS, () => handler.healthy?.() ?? false, late))
      ? "ok"
      : "failing";
  } catch {
    return "failing";
  }
}
