// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isSameResource, type ResourceSet } from "../../core/traffic/resources/resource-set.ts";
import type { RouteTable } from "../../core/traffic/resources/route.ts";
import { type CompiledRouteTable, compileRouteTable } from "../../core/traffic/route-table.ts";

/** Compiles route tables, and reuses the compiled form of unchanged tables. */
export class RouteTableCache {
  #set: ResourceSet<RouteTable> = { version: "", resources: [] };
  #compiled: ReadonlyMap<string, CompiledRouteTable> = new Map();

  /**
   * The compiled tables by name.
   *
   * @throws {PurserError} PURSER_INTERNAL for a regular expression that does not compile; the cache is then
   * unchanged.
   */
  compile(set: ResourceSet<RouteTable>): ReadonlyMap<string, CompiledRouteTable> {
    if (set.version === this.#set.version) return this.#compiled;
    const earlier = new Map(this.#set.resources.map((table) => [table.name, table] as const));
    const compiled = new Map(
      set.resources.map((table) => {
        const before = earlier.get(table.name);
        const kept =
          before !== undefined && isSameResource(before, table) ? this.#compiled.get(table.name) : undefined;
        return [table.name, kept ?? compileRouteTable(table)] as const;
      }),
    );
    this.#set = set;
    this.#compiled = compiled;
    return compiled;
  }
}
