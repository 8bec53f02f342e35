// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { redactSecrets } from "../../core/hooks/secrets.ts";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import type { DocumentSummary, Snapshot } from "../../core/snapshot/snapshot.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import type { Handler } from "./handlers/handler.ts";
import type { HandlerTable } from "./handlers/handler-table.ts";

/** The mixer's active documents, handlers and health; the body of `GET /v1/config`. */
export interface MixerStatus {
  readonly ready: boolean;
  /** Absent before the first snapshot. */
  readonly version?: string;
  readonly appliedAtMs?: number;
  /** The refusal of the newest configuration, while an older one stays active. */
  readonly rejection?: { readonly atMs: number; readonly diagnostics: readonly Diagnostic[] };
  readonly documents: readonly DocumentSummary[];
  readonly handlers: readonly HandlerStatus[];
  /** Number of proxies that watch this mixer. */
  readonly proxies: number;
}

interface HandlerStatus {
  readonly name: string;
  readonly extension: "adapter" | "plugin";
  /** Name of the adapter or plugin. */
  readonly of: string;
  /** As configured, with defaults filled in and secrets left out. */
  readonly config: unknown;
  /** `unknown`: the adapter has no health check. */
  readonly health: "ok" | "failing" | "unknown";
  readonly queues: readonly {
    readonly template: string;
    readonly depth: number;
    readonly dropped: number;
    /** Whether the circuit breaker is open after repeated failures. */
    readonly broken: boolean;
  }[];
}

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
    documents: snapshot?.documents ?? [],
    handlers: await Promise.all(
      [...table.entries.values()].map(({ handler }) => handlerStatus(handler, scheduler)),
    ),
    proxies,
  };
}

async function handlerStatus(handler: Handler, scheduler: Scheduler): Promise<HandlerStatus> {
  const { definition, config } = handler.declaration;
  return {
    name: handler.name,
    extension: definition.extension,
    of: definition.name,
    config: redactSecrets(definition.config, config),
    health: await healthOf(handler, scheduler),
    queues: [...handler.deliveries].map(([template, { depth, dropped, broken }]) => ({
      template,
      depth,
      dropped,
      broken,
    })),
  };
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
