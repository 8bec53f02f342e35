// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import { compileRe2 } from "../../../../kernel/matching/regex.ts";
import { Choice, Closed, Duration, REFUSED_KEYWORD } from "../fields.ts";
import type { KindDefinition } from "../kind.ts";
import { gatewayApiVersions, Hostnames, ObjectName, ParentRefs } from "./fields.ts";
import { faultsOfFilters } from "./filter-faults.ts";
import { FilteredBackend, HttpFilter } from "./filters.ts";
import { faultsOfBackends } from "./backend-faults.ts";

type Path = readonly (string | number)[];

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;

/** A condition on a value. @param of What has the value, such as `header`. */
export function ValueMatch(of: string) {
  return Closed({
    type: Type.Optional(
      Choice(["Exact", "RegularExpression"], "Exact (default), or an RE2 expression for the whole value."),
    ),
    name: Type.String({
      minLength: 1,
      maxLength: 256,
      description: `The ${of}'s name. Of two entries with one name the first counts.`,
    }),
    value: Type.String({ minLength: 1, maxLength: 4_096, description: "The value." }),
  });
}

const HttpMatch = Closed({
  path: Type.Optional(
    Closed({
      type: Type.Optional(
        Choice(
          ["Exact", "PathPrefix", "RegularExpression"],
          "PathPrefix (default): whole segments, so that `/a` holds for `/a/b` and not for `/ab`. Exact: the whole path. RegularExpression: RE2, for the whole path.",
        ),
      ),
      value: Type.Optional(Type.String({ maxLength: 1_024, description: "Default `/`." })),
    }),
  ),
  headers: Type.Optional(
    Type.Array(ValueMatch("header"), { maxItems: 16, description: "Headers that must match." }),
  ),
  queryParams: Type.Optional(
    Type.Array(ValueMatch("parameter"), { maxItems: 16, description: "Query parameters that must match." }),
  ),
  method: Type.Optional(Choice(METHODS, "The method.")),
});

const HttpRule = Closed(
  {
    name: Type.Optional(ObjectName("The rule's name, in logs and attributes; default its index.")),
    matches: Type.Optional(
      Type.Array(HttpMatch, {
        maxItems: 64,
        description: "The rule holds when any of these does; default: the path prefix `/`.",
      }),
    ),
    filters: Type.Optional(
      Type.Array(HttpFilter, { maxItems: 16, description: "Changes of requests and responses." }),
    ),
    backendRefs: Type.Optional(
      Type.Array(FilteredBackend, {
        maxItems: 16,
        description: "Destinations. Without any, or with weights of 0 alone, the reply is 500.",
      }),
    ),
    timeouts: Type.Optional(
      Closed({
        request: Type.Optional(
          Duration("From the whole request to the whole response; default, and 0s: none."),
        ),
        backendRequest: Type.Optional(
          Duration("Of one attempt, until its response headers; default, and 0s: none."),
        ),
      }),
    ),
    retry: Type.Optional(
      Closed({
        codes: Type.Optional(
          Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
            maxItems: 32,
            description: "Response codes that are tried again, besides failures of connections.",
          }),
        ),
        attempts: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 100, description: "Attempts after the first; default 2." }),
        ),
        backoff: Type.Optional(Duration("The base of the exponential back-off; default 25ms.")),
      }),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      sessionPersistence: "write a DestinationRule with trafficPolicy.loadBalancer.consistentHash.httpCookie",
    },
  },
);

const HttpRouteSpecSchema = Closed(
  {
    parentRefs: ParentRefs(),
    hostnames: Hostnames(),
    rules: Type.Optional(
      Type.Array(HttpRule, { maxItems: 64, description: "Rules; default one without conditions." }),
    ),
  },
  { [REFUSED_KEYWORD]: { useDefaultGateways: "write parentRefs" } },
);

export type HttpRouteDocSpec = Static<typeof HttpRouteSpecSchema>;
export type HttpRuleSpec = Static<typeof HttpRule>;
export type RouteMatchSpec = Static<typeof HttpMatch>;

export const HTTP_ROUTE = {
  kind: "HTTPRoute",
  apiVersions: gatewayApiVersions("v1", "v1beta1"),
  description: "Routes of HTTP requests at the edge, or of calls of a Service.",
  spec: HttpRouteSpecSchema,
  check: checkHttpRoute,
} as const satisfies KindDefinition;

function checkHttpRoute({ rules = [] }: HttpRouteDocSpec): readonly SpecFault[] {
  return rules.flatMap(({ matches = [], filters = [], backendRefs = [], timeouts }, index) => {
    const at: Path = ["rules", index];
    const onlyPrefixes = matches.every(({ path }) => (path?.type ?? "PathPrefix") === "PathPrefix");
    const redirects = filters.some(({ type }) => type === "RequestRedirect");
    return [
      ...matches.flatMap((match, matchIndex) => faultsOfMatch(match, [...at, "matches", matchIndex])),
      ...faultsOfFilters(filters, [...at, "filters"], onlyPrefixes),
      ...faultsOfBackends(backendRefs, [...at, "backendRefs"]),
      ...backendRefs.flatMap((backend, backendIndex) =>
        faultsOfFilters(backend.filters ?? [], [...at, "backendRefs", backendIndex, "filters"], onlyPrefixes),
      ),
      ...filters.flatMap(({ requestMirror }, filterIndex) =>
        requestMirror === undefined
          ? []
          : faultsOfBackends(
              [requestMirror.backendRef],
              [...at, "filters", filterIndex, "requestMirror", "backendRef"],
              true,
            ),
      ),
      ...(redirects && backendRefs.length > 0
        ? [{ path: [...at, "backendRefs"], message: "A rule with RequestRedirect forwards nothing" }]
        : []),
      ...(timeouts !== undefined && redirects
        ? [{ path: [...at, "timeouts"], message: "A rule with RequestRedirect forwards nothing" }]
        : []),
    ];
  });
}

function faultsOfMatch(
  { path, headers = [], queryParams = [] }: RouteMatchSpec,
  at: Path,
): readonly SpecFault[] {
  const { type = "PathPrefix", value = "/" } = path ?? {};
  const faults: SpecFault[] = [];
  if (type === "RegularExpression") faults.push(...faultsOfRegex(value, [...at, "path", "value"]));
  else if (!value.startsWith("/"))
    faults.push({ path: [...at, "path", "value"], message: `A path of type ${type} begins with /` });
  else if (/[?#]/.test(value))
    faults.push({ path: [...at, "path", "value"], message: "A path has no query and no fragment" });
  for (const [field, list] of [
    ["headers", headers],
    ["queryParams", queryParams],
  ] as const)
    list.forEach((entry, index) => {
      if (entry.type === "RegularExpression")
        faults.push(...faultsOfRegex(entry.value, [...at, field, index, "value"]));
    });
  return faults;
}

export function faultsOfRegex(pattern: string, path: Path): readonly SpecFault[] {
  const compiled = compileRe2(pattern);
  return compiled.ok
    ? []
    : [{ path, message: `Not an RE2 expression that Purser can run: ${compiled.message}` }];
}
