// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Closed, REFUSED_KEYWORD } from "./fields.ts";
import { PortNumber, WildcardHost } from "./traffic-fields.ts";
import { callerConditions } from "./virtual-service-match.ts";
import { Target } from "./virtual-service-target.ts";

const Destination = Closed({
  destination: Target,
  weight: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description:
        "The share of connections, relative to the sum; default 0, or all when there is one destination.",
    }),
  ),
});

/** The conditions of connections, which both kinds of routes have. */
function conditions() {
  return {
    destinationSubnets: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        description:
          "Addresses or blocks such as `10.0.0.0/8`, one of which must hold the address that the client called.",
      }),
    ),
    port: Type.Optional(PortNumber("The port of the Gateway's server.")),
    ...callerConditions(),
  };
}

const REFUSED = {
  [REFUSED_KEYWORD]: {
    sourceSubnet: "Istio deprecates it and ignores it; test source.ip in an AccessPolicy",
  },
};

const TlsMatch = Closed(
  {
    sniHosts: Type.Array(WildcardHost("A server name, `*.example.com` or `*`."), {
      minItems: 1,
      description:
        "Server names (SNI) that the client asks for; each must be one of the VirtualService's hosts, or below a wildcard of them.",
    }),
    ...conditions(),
  },
  REFUSED,
);

const Destinations = Type.Array(Destination, { minItems: 1, description: "Destinations to forward to." });

export const TlsRoute = Closed({
  match: Type.Array(TlsMatch, {
    minItems: 1,
    description: "The route matches when any of these matches; each needs all its fields.",
  }),
  route: Destinations,
});

export const TcpRoute = Closed({
  match: Type.Optional(
    Type.Array(Closed(conditions(), REFUSED), {
      minItems: 1,
      description:
        "The route matches when any of these matches; each needs all its fields. All connections when absent.",
    }),
  ),
  route: Destinations,
});

export type TlsRouteSpec = Static<typeof TlsRoute>;
export type TcpRouteSpec = Static<typeof TcpRoute>;
export type ConnectionMatchSpec = NonNullable<TcpRouteSpec["match"]>[number];
