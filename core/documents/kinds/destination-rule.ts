// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice, Closed, Duration } from "./fields.ts";
import type { KindDefinition, SpecFault } from "./kind.ts";
import { WildcardHost } from "./traffic-fields.ts";

const Limit = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description });

function TrafficPolicy(description: string) {
  return Closed(
    {
      loadBalancer: Type.Optional(
        Closed({
          simple: Choice(
            ["LEAST_REQUEST", "LEAST_CONN", "ROUND_ROBIN", "RANDOM"],
            "How an endpoint is chosen; default LEAST_REQUEST. LEAST_CONN is its old name.",
          ),
        }),
      ),
      connectionPool: Type.Optional(
        Closed({
          tcp: Type.Optional(
            Closed({
              maxConnections: Type.Optional(
                Limit("Connections from one proxy to one endpoint at most; default 1024."),
              ),
              connectTimeout: Type.Optional(Duration("How long a connection may take to open; default 10s.")),
            }),
          ),
          http: Type.Optional(
            Closed({
              http2MaxRequests: Type.Optional(
                Limit(
                  "Requests under way from one proxy at most, over HTTP/1.1 as well; beyond it 503 at once; default 1024.",
                ),
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
  host: WildcardHost(
    "The service that this is about: a ServiceEntry's host, its short name, or `*.example.com`.",
  ),
  trafficPolicy: Type.Optional(TrafficPolicy("How requests are spread and limited.")),
  subsets: Type.Optional(
    Type.Array(
      Closed({
        name: Type.String({
          pattern: "^[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*$",
          description: "What routes call the subset.",
        }),
        labels: Type.Optional(
          Type.Record(Type.String(), Type.String(), {
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
      { description: "Parts of the service that routes may choose between." },
    ),
  ),
});

export type DestinationRuleSpec = Static<typeof DestinationRuleSpec>;
export type TrafficPolicySpec = NonNullable<DestinationRuleSpec["trafficPolicy"]>;

export const DESTINATION_RULE = {
  kind: "DestinationRule",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "What applies to a service once a route has chosen it: balancing, limits, subsets.",
  spec: DestinationRuleSpec,
  check: checkDestinationRule,
} as const satisfies KindDefinition;

function checkDestinationRule(spec: DestinationRuleSpec): readonly SpecFault[] {
  const subsets = spec.subsets ?? [];
  return subsets.flatMap((subset, index) =>
    subsets.findIndex((other) => other.name === subset.name) < index
      ? [
          {
            path: ["subsets", index, "name"],
            message: `Subset ${JSON.stringify(subset.name)} is listed twice`,
          },
        ]
      : [],
  );
}
