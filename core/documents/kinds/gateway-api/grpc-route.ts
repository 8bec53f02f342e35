// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import { Choice, Closed, REFUSED_KEYWORD } from "../fields.ts";
import type { KindDefinition } from "../kind.ts";
import { faultsOfBackends } from "./backend-faults.ts";
import { gatewayApiVersions, Hostnames, ObjectName, ParentRefs } from "./fields.ts";
import { faultsOfFilters } from "./filter-faults.ts";
import { FilteredBackend, GrpcFilter } from "./filters.ts";
import { faultsOfRegex, ValueMatch } from "./http-route.ts";

/** Names of gRPC's services and methods: identifiers of Protocol Buffers, with dots between packages. */
const NAME = /^[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*$/;

const GrpcMatch = Closed({
  method: Type.Optional(
    Closed(
      {
        type: Type.Optional(
          Choice(["Exact", "RegularExpression"], "Exact (default), or RE2 expressions for the whole names."),
        ),
        service: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 1_024,
            description: "The gRPC service, such as `shop.Reviews`; default: any.",
          }),
        ),
        method: Type.Optional(
          Type.String({ minLength: 1, maxLength: 1_024, description: "The gRPC method; default: any." }),
        ),
      },
      { minProperties: 1 },
    ),
  ),
  headers: Type.Optional(
    Type.Array(ValueMatch("metadata"), { maxItems: 16, description: "Metadata that must match." }),
  ),
});

const GrpcRule = Closed(
  {
    name: Type.Optional(ObjectName("The rule's name, in logs and attributes; default its index.")),
    matches: Type.Optional(
      Type.Array(GrpcMatch, {
        maxItems: 64,
        description: "The rule holds when any of these does; default: every call.",
      }),
    ),
    filters: Type.Optional(
      Type.Array(GrpcFilter, { maxItems: 16, description: "Changes of calls and responses." }),
    ),
    backendRefs: Type.Optional(
      Type.Array(FilteredBackend, {
        maxItems: 16,
        description: "Destinations. Without any, or with weights of 0 alone, calls fail with UNAVAILABLE.",
      }),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      sessionPersistence: "write a DestinationRule with trafficPolicy.loadBalancer.consistentHash.httpCookie",
    },
  },
);

const GrpcRouteSpecSchema = Closed(
  {
    parentRefs: ParentRefs(),
    hostnames: Hostnames(),
    rules: Type.Optional(
      Type.Array(GrpcRule, { maxItems: 64, description: "Rules; default one without conditions." }),
    ),
  },
  { [REFUSED_KEYWORD]: { useDefaultGateways: "write parentRefs" } },
);

export type GrpcRouteDocSpec = Static<typeof GrpcRouteSpecSchema>;
export type GrpcMatchSpec = Static<typeof GrpcMatch>;

export const GRPC_ROUTE = {
  kind: "GRPCRoute",
  apiVersions: gatewayApiVersions("v1", "v1alpha2"),
  description: "Routes of gRPC calls at the edge, or of calls of a Service.",
  spec: GrpcRouteSpecSchema,
  check: checkGrpcRoute,
} as const satisfies KindDefinition;

function checkGrpcRoute({ rules = [] }: GrpcRouteDocSpec): readonly SpecFault[] {
  return rules.flatMap(({ matches = [], filters = [], backendRefs = [] }, index) => {
    const at = ["rules", index];
    return [
      ...matches.flatMap((match, matchIndex) => faultsOfMatch(match, [...at, "matches", matchIndex])),
      ...faultsOfFilters(filters, [...at, "filters"], false),
      ...filters.flatMap(({ requestMirror }, filterIndex) =>
        requestMirror === undefined
          ? []
          : faultsOfBackends(
              [requestMirror.backendRef],
              [...at, "filters", filterIndex, "requestMirror", "backendRef"],
              true,
            ),
      ),
      ...faultsOfBackends(backendRefs, [...at, "backendRefs"]),
      ...backendRefs.flatMap((backend, backendIndex) =>
        faultsOfFilters(backend.filters ?? [], [...at, "backendRefs", backendIndex, "filters"], false),
      ),
    ];
  });
}

function faultsOfMatch(
  { method, headers = [] }: GrpcMatchSpec,
  at: readonly (string | number)[],
): readonly SpecFault[] {
  const names = (["service", "method"] as const).flatMap((field): readonly SpecFault[] => {
    const value = method?.[field];
    if (value === undefined) return [];
    const path = [...at, "method", field];
    if (method?.type === "RegularExpression") return faultsOfRegex(value, path);
    return NAME.test(value)
      ? []
      : [{ path, message: `${JSON.stringify(value)} is no name of a gRPC ${field}` }];
  });
  return [
    ...names,
    ...headers.flatMap(({ type, value }, index) =>
      type === "RegularExpression" ? faultsOfRegex(value, [...at, "headers", index, "value"]) : [],
    ),
  ];
}
