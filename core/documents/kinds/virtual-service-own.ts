// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { Closed } from "./fields.ts";
import { HASH_SOURCE_FIELDS } from "./load-balancer.ts";
import { hashSourceFaults, type HashSourceSpec } from "./load-balancer-faults.ts";

/** Fields of a route that Istio does not have, below one field: a file for both meshes can leave it out. */
export const OwnRouteFields = Closed(
  {
    hedgeOnPerTryTimeout: Type.Optional(
      Type.Boolean({
        description:
          "Whether retries.perTryTimeout starts another attempt beside the first, in place of ending it; default false.",
      }),
    ),
    splitBy: Type.Optional(
      Closed(HASH_SOURCE_FIELDS, {
        description: "Requests with an equal value go to the same one of several destinations.",
      }),
    ),
  },
  { minProperties: 1, description: "Purser's own fields of a route, which Istio refuses." },
);

/** The fields of a route that the checks read. */
interface RouteSpec {
  readonly retries?: { readonly attempts: number; readonly perTryTimeout?: string };
  readonly route?: readonly unknown[];
  readonly purser?: Static<typeof OwnRouteFields>;
}

/** @param isDelegate Whether the route is a delegate's: it may have the `retries` of the route that delegates. */
export function ownRouteFaults(
  route: RouteSpec,
  isDelegate: boolean,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  const { hedgeOnPerTryTimeout, splitBy } = route.purser ?? {};
  return [
    ...(hedgeOnPerTryTimeout === true
      ? hedgeFaults(route.retries, isDelegate, [...path, "purser", "hedgeOnPerTryTimeout"])
      : []),
    ...(splitBy === undefined ? [] : splitFaults(splitBy, route.route, [...path, "purser", "splitBy"])),
  ];
}

function hedgeFaults(
  retries: RouteSpec["retries"],
  isDelegate: boolean,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  if (retries === undefined && isDelegate) return [];
  if (retries?.attempts === 0)
    return [{ path, message: "Without attempts in retries, no second attempt can begin" }];
  if ((parseDurationMs(retries?.perTryTimeout ?? "") ?? 0) > 0) return [];
  return [{ path, message: "A second attempt begins at retries.perTryTimeout, which the route lacks" }];
}

/** @param destinations Undefined for a route that delegates. */
function splitFaults(
  splitBy: HashSourceSpec,
  destinations: readonly unknown[] | undefined,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  const faults = hashSourceFaults(splitBy, path);
  if (destinations?.length !== 1) return faults;
  const message =
    "The route has one destination, which gets every request: list another one, or leave it out";
  return [...faults, { path, message }];
}
