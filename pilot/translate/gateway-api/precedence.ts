// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HttpRouteSpec } from "../../../core/documents/kinds/virtual-service-schema.ts";

/**
 * A route with one match, and its place among the routes of a host: ranks are compared number by number, and the higher
 * one is first.
 */
export interface RankedRoute {
  readonly rank: readonly number[];
  readonly route: HttpRouteSpec;
}

/**
 * Sorts the routes of one host as the Gateway API demands, whatever route document they are from: equal ones stay in
 * document order.
 */
export function inPrecedence(routes: readonly RankedRoute[]): readonly HttpRouteSpec[] {
  return routes.toSorted((a, b) => compareRanks(a.rank, b.rank)).map(({ route }) => route);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
