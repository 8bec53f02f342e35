// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHandlerHooks, type HandlerHooks } from "../../../core/hooks/hooks.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import { Handler } from "./handler.ts";
import type { NamedDelivery } from "../metrics/delivery-metrics.ts";
import type { HandlerHost } from "./host.ts";

/** The handlers of one snapshot, in document order. */
export interface HandlerTable {
  readonly entries: ReadonlyMap<string, HandlerEntry>;
}

export interface HandlerEntry {
  readonly handler: Handler;
  /** A plugin's hooks, which belong to this snapshot alone. */
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
      /** Handlers that were built before another one failed; the caller must close them. */
      readonly built: readonly Handler[];
    };

/**
 * Builds the handlers of a new snapshot. A handler whose signature is unchanged is reused, though plugins get
 * fresh hooks. Every handler is tried, so that all failures are reported at once; a single failure refuses
 * the snapshot.
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

/** The deliveries of every handler and template. */
export function* deliveriesOf({ entries }: HandlerTable): Iterable<NamedDelivery> {
  for (const { handler } of entries.values()) {
    for (const [template, delivery] of handler.deliveries)
      yield { handler: handler.name, template, delivery };
  }
}
