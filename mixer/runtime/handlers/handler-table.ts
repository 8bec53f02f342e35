// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHandlerHooks, type HandlerHooks } from "../../../core/hooks/hooks.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import { Handler } from "./handler.ts";
import type { QueueDepth } from "../metrics/mixer-metrics.ts";
import type { HandlerHost } from "./host.ts";

/** The handlers of one snapshot, in document order. */
export interface HandlerTable {
  readonly entries: ReadonlyMap<string, HandlerEntry>;
}

export interface HandlerEntry {
  readonly handler: Handler;
  /** A plugin's, of this snapshot alone. */
  readonly hooks: HandlerHooks | undefined;
}

export const EMPTY_TABLE: HandlerTable = { entries: new Map() };

export type BuildOutcome =
  | {
      readonly ok: true;
      readonly table: HandlerTable;
      readonly built: readonly Handler[];
      readonly reused: readonly Handler[];
    }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      /** What had been built before it was clear that not all could be: to be closed. */
      readonly built: readonly Handler[];
    };

/**
 * Builds the handlers of a new snapshot. One whose signature is unchanged lives on; plugins get fresh hooks all the
 * same. All are tried, so that every failure is told at once; one is enough to refuse the snapshot.
 */
export function buildHandlerTable(
  declarations: readonly HandlerDeclaration[],
  previous: HandlerTable,
  host: HandlerHost,
): BuildOutcome {
  const entries = new Map<string, HandlerEntry>();
  const built: Handler[] = [];
  const reused: Handler[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const declaration of declarations) {
    try {
      const old = previous.entries.get(declaration.name)?.handler;
      const lives = old !== undefined && old.declaration.signature === declaration.signature;
      const handler = lives ? old : new Handler(declaration, host);
      (lives ? reused : built).push(handler);
      entries.set(declaration.name, { handler, hooks: applyHooks(handler) });
    } catch (error) {
      diagnostics.push({
        severity: "error",
        code: "PURSER_HANDLER_BUILD",
        location: declaration.location,
        message: `handler ${declaration.name} could not be built: ${messageOf(error)}`,
      });
    }
  }
  return diagnostics.length > 0
    ? { ok: false, diagnostics, built }
    : { ok: true, table: { entries }, built, reused };
}

function applyHooks({ built }: Handler): HandlerHooks | undefined {
  if (built.kind === "adapter") return undefined;
  const hooks = createHandlerHooks();
  built.handler.apply(hooks);
  return hooks;
}

/** How much telemetry waits or is under way, for each handler and template. */
export function* queueDepthsOf({ entries }: HandlerTable): Iterable<QueueDepth> {
  for (const { handler } of entries.values()) {
    for (const [template, { depth }] of handler.deliveries) yield { handler: handler.name, template, depth };
  }
}
