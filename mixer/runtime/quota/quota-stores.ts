// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../../kernel/errors.ts";
import type { QuotaStore } from "../../../core/quota/quota.ts";
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
  });
  for (const [name, { handler }] of table.entries) {
    if (handler.built.kind === "plugin" || handler.built.handler.quota === undefined) continue;
    stores.set(name, {
      name,
      allocate: (requests, options) => handler.callOnTheWay(() => allocateFrom(handler, requests, options)),
    });
  }
  return (name) => stores.get(name) ?? missing(name);
}

/** Asks the handler's instance in force: another one after a restart. */
function allocateFrom({ name, built }: Handler, ...[requests, options]: Parameters<QuotaStore["allocate"]>) {
  if (built.kind === "plugin" || built.handler.quota === undefined)
    return missing(name).allocate(requests, options);
  return built.handler.quota(requests, options);
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
