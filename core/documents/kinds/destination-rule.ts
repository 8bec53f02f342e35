// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { Closed, Duration } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { loadBalancerFaults } from "./load-balancer-faults.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { WildcardHost } from "./traffic-fields.ts";

const Limit = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description });

function TrafficPolicy(description: string) {
  return Closed(
    {
      loadBalancer: Type.Optional(LoadBalancer()),
      connectionPool: Type.Optional(
        Closed({
          tcp: Type.Optional(
            Closed({
              maxConnections: Type.Optional(
                Limit("Most connections from one proxy to one endpoint; default 1024."),
              ),
              connectTimeout: Type.Optional(
                Duration("Longest time to open a connection, or to wait for one; default 10s."),
              ),
              maxConnectionDuration: Type.Optional(
                Duration(
                  "Age at which a connection is closed, once the request on it is over; default no limit.",
                ),
              ),
              tcpKeepalive: Type.Optional(
                Closed(
                  {
                    time: Type.Optional(
                      Duration("Idle time before the first probe, in whole seconds; default 7200s."),
                    ),
                  },
                  { description: "TCP keep-alive probes on connections to endpoints; default none." },
                ),
              ),
            }),
          ),
          http: Type.Optional(
            Closed({
              http1MaxPendingRequests: Type.Optional(
                Limit(
                  "Most requests that wait for a connection from one proxy to one endpoint; further requests get 503 at once; default 1024.",
                ),
              ),
              http2MaxRequests: Type.Optional(
                Limit(
                  "Most requests under way from one proxy, over HTTP/1.1 too; further requests get 503 at once; default 1024.",
                ),
              ),
              maxRequestsPerConnection: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  maximum: 1_000_000_000,
                  description: "Number of requests after which a connection is closed; default 0: no limit.",
                }),
              ),
              idleTimeout: Type.Optional(
                Duration("Time without a request after which a connection is closed; 0s never; default 1h."),
              ),
            }),
          ),
        }),
      ),
    },
    { description },
  );
}

const DestinationRuleSpec = Closed({
  host: WildcardHost("The service: a ServiceEntry's host, its short name, or `*.example.com`."),
  trafficPolicy: Type.Optional(TrafficPolicy("Load balancing and connection limits.")),
  subsets: Type.Optional(
    Type.Array(
      Closed({
        name: Type.String({
          pattern: "^[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*$",
          description: "The subset's name in routes.",
        }),
        labels: Type.Optional(
          MapOf(Type.String(), {
            description:
              "The labels that an endpoint must have to be in the subset; all endpoints when absent.",
          }),
        ),
        trafficPolicy: Type.Optional(
          TrafficPolicy(
            "For this subset: loadBalancer and connectionPool each replace the rule's as a whole.",
          ),
        ),
      }),
      { description: "Groups of endpoints that routes may select." },
    ),
  ),
});

export type DestinationRuleSpec = Static<typeof DestinationRuleSpec>;
export type TrafficPolicySpec = NonNullable<DestinationRuleSpec["trafficPolicy"]>;

export const DESTINATION_RULE = {
  kind: "DestinationRule",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "Load balancing, limits and subsets of a service, applied after routing.",
  spec: DestinationRuleSpec,
  check: checkDestinationRule,
} as const satisfies KindDefinition;

function checkDestinationRule(spec: DestinationRuleSpec): readonly SpecFault[] {
  const subsets = spec.subsets ?? [];
  return [
    ...loadBalancerFaults(spec.trafficPolicy?.loadBalancer, ["trafficPolicy", "loadBalancer"]),
    ...subsets.flatMap(({ trafficPolicy }, index) =>
      loadBalancerFaults(trafficPolicy?.loadBalancer, ["subsets", index, "trafficPolicy", "loadBalancer"]),
    ),
    ...subsets.flatMap(({ name }, index) =>
      subsets.findIndex((other) => other.name === name) < index
        ? [{ path: ["subsets", index, "name"], message: `Subset ${JSON.stringify(name)} is listed twice` }]
        : [],
    ),
  ];
}
