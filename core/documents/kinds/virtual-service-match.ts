// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { Closed, REFUSED_KEYWORD } from "./fields.ts";
import { PortNumber, PresenceMatch, StringMatch } from "./traffic-fields.ts";

/** The conditions on the caller that matches of requests and of connections have. */
export function callerConditions() {
  return {
    gateways: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description:
          "The gateways, of the VirtualService's, to which this match applies; all of them when absent.",
      }),
    ),
    sourceLabels: Type.Optional(
      MapOf(Type.String(), {
        minProperties: 1,
        description: "Labels that the calling workload must have, each with this value.",
      }),
    ),
    sourceNamespace: Type.Optional(
      Type.String({ minLength: 1, description: "The namespace that the calling workload must be in." }),
    ),
  };
}

/** The conditions of a route, all of which must hold. */
export const HttpMatch = Closed(
  {
    name: Type.Optional(Type.String({ description: "The match's name, for information." })),
    uri: Type.Optional(StringMatch("The path, without the query.")),
    ignoreUriCase: Type.Optional(
      Type.Boolean({
        description: "Whether exact and prefix matches of the path ignore case; default false.",
      }),
    ),
    scheme: Type.Optional(
      StringMatch("The scheme, http or https: of the connection, or as a trusted proxy in front says."),
    ),
    method: Type.Optional(StringMatch("The method, case-sensitive.")),
    authority: Type.Optional(
      StringMatch(
        "The Host header in its canonical form, with the port that it names; exact and prefix ignore case.",
      ),
    ),
    headers: Type.Optional(
      MapOf(PresenceMatch("{} for present with any value."), {
        description: "Headers that must match, by name in any case.",
      }),
    ),
    withoutHeaders: Type.Optional(
      MapOf(PresenceMatch("{} for absent."), {
        description: "Headers that must not match; an absent header does not match.",
      }),
    ),
    queryParams: Type.Optional(
      MapOf(PresenceMatch("{} for present with any value."), {
        description:
          "Query parameters that must match, by exact name and decoded; a repeated parameter matches by any of its values.",
      }),
    ),
    port: Type.Optional(PortNumber("The port that was called: of the service, or of the Gateway's server.")),
    ...callerConditions(),
  },
  {
    [REFUSED_KEYWORD]: {
      statPrefix:
        "routes have no statistics of their own; give the route a name, and count by the attribute route.name in a Telemetry document",
    },
  },
);

/** The header that has the scheme of every request that is routed. */
export const SCHEME_HEADER = "x-forwarded-proto";

export type HttpMatchSpec = Static<typeof HttpMatch>;

export type CallerMatch = Pick<HttpMatchSpec, "gateways" | "sourceLabels" | "sourceNamespace">;

/** The conditions of a match on the caller, by their names. */
export function sourceFieldsOf(match: CallerMatch): readonly ("sourceLabels" | "sourceNamespace")[] {
  return (["sourceLabels", "sourceNamespace"] as const).filter((field) => match[field] !== undefined);
}
