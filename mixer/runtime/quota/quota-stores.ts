// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../../kernel/errors.ts";
import type { QuotaStore } from "../../../core/quota/quota.ts";
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
    if (handler.built.kind !== "adapter") continue;
    const adapter = handler.built.handler;
    const { quota } = adapter;
    if (quota === undefined) continue;
    stores.set(name, {
      name,
      allocate: (requests, options) => handler.callOnTheWay(() => quota.call(adapter, requests, options)),
    });
  }
  return (name) => stores.get(name) ?? missing(name);
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
