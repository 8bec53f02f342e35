// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Snapshot } from "../../../core/snapshot/snapshot.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { QuotaStore } from "../../../core/quota/quota.ts";
import type { QuotaView, SharedAdjustments } from "../../../core/quota/quota-view.ts";
import type { Handler } from "../handlers/handler.ts";
import type { HandlerTable } from "../handlers/handler-table.ts";
import type { NamedStore } from "../../../core/quota/demand.ts";

/** Finds the store that a QuotaPolicy names; undefined for the default store. */
export type FindStore = (handler: string | undefined) => NamedStore;

/** No Handler document can have this name. */
const BUILT_IN = "built-in memory";

/**
 * The stores of one snapshot: handlers of the quota template, each with its deadline, and the default store.
 */
export function createFindStore(table: HandlerTable, defaultStore: QuotaStore): FindStore {
  const stores = new Map<string | undefined, NamedStore>();
  stores.set(undefined, {
    name: BUILT_IN,
    allocate: (requests, options) => defaultStore.allocate(requests, options),
    view: defaultStore.view,
  });
  for (const [name, { handler }] of table.entries) {
    if (handler.built.kind === "plugin" || handler.built.handler.quota === undefined) continue;
    stores.set(name, {
      name,
      allocate: (requests, options) => handler.callOnTheWay(() => allocateFrom(handler, requests, options)),
      view: viewOf(handler),
    });
  }
  return (name) => stores.get(name) ?? missing(name);
}

/** The adjustments of the shared stores that a snapshot's policies name, by store. */
export function sharedAdjustmentsOf(
  { quotaPolicies }: Pick<Snapshot, "quotaPolicies">,
  findStore: FindStore,
): ReadonlyMap<string, SharedAdjustments> {
  const shared = new Map<string, SharedAdjustments>();
  for (const { store: handler } of quotaPolicies) {
    const { name, view } = findStore(handler);
    if (view?.shared !== undefined) shared.set(name, view.shared);
  }
  return shared;
}

/** Asks the handler's instance in force: another one after a restart. */
function allocateFrom({ name, built }: Handler, ...[requests, options]: Parameters<QuotaStore["allocate"]>) {
  if (built.kind === "plugin" || built.handler.quota === undefined)
    return missing(name).allocate(requests, options);
  return built.handler.quota(requests, options);
}

/** The handler's view, with a deadline for every call; undefined when the handler has none. */
function viewOf(handler: Handler): QuotaView | undefined {
  const view = currentView(handler);
  if (view === undefined) return undefined;
  const call = <T>(work: (view: QuotaView) => MaybePromise<T>): MaybePromise<T> =>
    handler.call(() => work(currentView(handler) ?? view));
  const shared = (): SharedAdjustments => (currentView(handler) ?? view).shared as SharedAdjustments;
  return {
    list: (query) => call((current) => current.list(query)),
    reset: (count) => call((current) => current.reset(count)),
    ...(view.shared === undefined
      ? {}
      : {
          shared: {
            all: () => call(() => shared().all()),
            put: (adjustment) => call(() => shared().put(adjustment)),
            remove: (kind, cell) => call(() => shared().remove(kind, cell)),
          },
        }),
  };
}

function currentView({ built }: Handler): QuotaView | undefined {
  return built.kind === "plugin" ? undefined : built.handler.quotaView;
}

/** References are checked when documents are loaded, so that only a mistake in an adapter leads here. */
function missing(name: string | undefined): NamedStore {
  return {
    name: String(name),
    allocate: () => {
      throw new PurserError("PURSER_STORE_UNAVAILABLE", `handler ${String(name)} does not count quotas`);
    },
  };
}
