// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { ClientTlsSpec, faultsOfClientTls } from "./destination-rule-tls.ts";
import { ExportTo, faultsOfExportTo } from "./export-to.ts";
import { Choice, Closed, Duration } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { loadBalancerFaults } from "./load-balancer-faults.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { OutlierDetection, outlierDetectionFaults } from "./outlier-detection-fields.ts";
import { PortNumber, SelectedLabels, WildcardHost } from "./traffic-fields.ts";

const Limit = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description });

function HttpPool() {
  return Closed({
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
    maxRetries: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 32 - 1,
        description:
          "Most retries under way from one proxy; further ones are not made; without effect with retryBudget; default no limit.",
      }),
    ),
    maxRequestsPerConnection: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000_000,
        description: "Number of requests after which a connection is closed; default 0: no limit.",
      }),
    ),
    h2UpgradePolicy: Type.Optional(
      Choice(
        ["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"],
        "UPGRADE: HTTP/2 to endpoints of an HTTP port, too. DEFAULT and DO_NOT_UPGRADE: as the port's protocol says; default DEFAULT.",
      ),
    ),
    maxConcurrentStreams: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description:
          "Most requests under way on one connection of HTTP/2; default no limit but the endpoint's own.",
      }),
    ),
    idleTimeout: Type.Optional(
      Duration("Time without a request after which a connection is closed; 0s never; default 1h."),
    ),
  });
}

/** The settings that a port may have of its own. */
function portSettings() {
  return {
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
                "Age at which a connection is closed, once the request on it is over; of a tcp or tls route, at once; default no limit.",
              ),
            ),
            idleTimeout: Type.Optional(
              Duration(
                "Time without a byte after which a connection of a tcp or tls route is closed; 0s never; default 1h.",
              ),
            ),
            tcpKeepalive: Type.Optional(
              Closed(
                {
                  time: Type.Optional(
                    Duration("Idle time before the first probe, in whole seconds; default 7200s."),
                  ),
                  interval: Type.Optional(
                    Duration(
                      "With probes, the longest time until a dead connection is closed; default 75s. Node.js sends ten probes, a second apart.",
                    ),
                  ),
                  probes: Type.Optional(
                    Type.Integer({
                      minimum: 1,
                      maximum: 127,
                      description:
                        "Number of intervals until a dead connection is closed at the latest; default 9.",
                    }),
                  ),
                },
                { description: "TCP keep-alive probes on connections to endpoints; default none." },
              ),
            ),
          }),
        ),
        http: Type.Optional(HttpPool()),
      }),
    ),
    outlierDetection: OutlierDetection,
    tls: Type.Optional(ClientTlsSpec),
  };
}

function TrafficPolicy(description: string) {
  return Closed(
    {
      ...portSettings(),
      proxyProtocol: Type.Optional(
        Closed(
          {
            version: Type.Optional(
              Choice(["V1", "V2"], "Version of the header: V1 (text, default) or V2 (binary)."),
            ),
          },
          {
            description:
              "Begins each connection to an endpoint with a header of the PROXY protocol, which tells the client's address. " +
              "Such a connection carries the requests of one client's connection alone. Default: no header.",
          },
        ),
      ),
      retryBudget: Type.Optional(
        Closed(
          {
            percent: Type.Optional(
              Type.Number({
                minimum: 0,
                maximum: 100,
                description: "Percentage of the requests under way that may be retries; default 20.",
              }),
            ),
            minRetryConcurrency: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 2 ** 32 - 1,
                description: "Number of retries that may be under way in any case; default 3.",
              }),
            ),
          },
          {
            description:
              "Most retries under way from one proxy, relative to its requests; in place of maxRetries.",
          },
        ),
      ),
      portLevelSettings: Type.Optional(
        Type.Array(
          Closed({
            port: Closed(
              { number: PortNumber("The port's number.") },
              { description: "A port of the service." },
            ),
            ...portSettings(),
          }),
          {
            description:
              "Settings of single ports: they replace loadBalancer, connectionPool, outlierDetection and tls, also where they leave them out.",
          },
        ),
      ),
    },
    { description },
  );
}

const DestinationRuleSpec = Closed({
  workloadSelector: Type.Optional(
    Closed(
      { matchLabels: SelectedLabels() },
      {
        description:
          "The calling workloads of the rule's namespace that apply the rule; all callers when absent.",
      },
    ),
  ),
  host: WildcardHost("The service: a ServiceEntry's host, its short name, or `*.example.com`."),
  trafficPolicy: Type.Optional(TrafficPolicy("Load balancing, limits, ejections and TLS.")),
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
          TrafficPolicy("For this subset: each field replaces the rule's as a whole."),
        ),
      }),
      { description: "Groups of endpoints that routes may select." },
    ),
  ),
  exportTo: ExportTo(),
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

const SELECTOR_LEAVES: SpecFault = {
  path: ["exportTo"],
  message: 'A rule with a workloadSelector is for its own namespace alone: write exportTo ["."], or none',
};

function checkDestinationRule(spec: DestinationRuleSpec): readonly SpecFault[] {
  const { exportTo = [], workloadSelector } = spec;
  const leaves = exportTo.length > 1 || (exportTo[0] ?? ".") !== ".";
  const subsets = spec.subsets ?? [];
  return [
    ...faultsOfExportTo(spec.exportTo),
    ...(workloadSelector !== undefined && leaves ? [SELECTOR_LEAVES] : []),
    ...trafficPolicyFaults(spec.trafficPolicy, ["trafficPolicy"]),
    ...repeated(
      subsets.map(({ name }) => name),
      (index) => ["subsets", index, "name"],
      (name) => `Subset ${JSON.stringify(name)} is listed twice`,
    ),
    ...subsets.flatMap(({ trafficPolicy }, index) =>
      trafficPolicyFaults(trafficPolicy, ["subsets", index, "trafficPolicy"]),
    ),
  ];
}

type Path = SpecFault["path"];

/** Linux' defaults (tcp(7)), which Istio's users get without the fields. */
const KEEPALIVE_INTERVAL_MS = 75_000;
const KEEPALIVE_PROBES = 9;
/** Node.js sends ten probes, a second apart (libuv's uv_tcp_keepalive), and has no setting for them. */
const KEEPALIVE_DETECTION_MS = 10_000;

/** Probes and interval bound the time in which a dead connection is found, which Node.js can keep unless it is short. */
function keepaliveFaults(
  pool: TrafficPolicySpec["connectionPool"] | undefined,
  path: Path,
): readonly SpecFault[] {
  const { interval, probes = KEEPALIVE_PROBES } = pool?.tcp?.tcpKeepalive ?? {};
  const intervalMs = parseDurationMs(interval ?? "") ?? KEEPALIVE_INTERVAL_MS;
  if (intervalMs * probes >= KEEPALIVE_DETECTION_MS) return [];
  const message =
    "Node.js sends ten probes, a second apart: interval and probes together must be at least 10s";
  return [{ path: [...path, "connectionPool", "tcp", "tcpKeepalive"], message }];
}

function trafficPolicyFaults(policy: TrafficPolicySpec | undefined, path: Path): readonly SpecFault[] {
  const ports = policy?.portLevelSettings ?? [];
  const pathOf = (index: number): Path => [...path, "portLevelSettings", index];
  return [
    ...loadBalancerFaults(policy?.loadBalancer, [...path, "loadBalancer"]),
    ...outlierDetectionFaults(policy?.outlierDetection, path),
    ...keepaliveFaults(policy?.connectionPool, path),
    ...faultsOfClientTls(policy?.tls, [...path, "tls"]),
    ...repeated(
      ports.map(({ port }) => port.number),
      (index) => [...pathOf(index), "port", "number"],
      (number) => `Port ${number} is listed twice`,
    ),
    ...ports.flatMap(({ loadBalancer, connectionPool, outlierDetection, tls }, index) => [
      ...keepaliveFaults(connectionPool, pathOf(index)),
      ...loadBalancerFaults(loadBalancer, [...pathOf(index), "loadBalancer"]),
      ...outlierDetectionFaults(outlierDetection, pathOf(index)),
      ...faultsOfClientTls(tls, [...pathOf(index), "tls"]),
    ]),
  ];
}

/** A fault for each item that an earlier item equals. */
function repeated<T>(
  items: readonly T[],
  pathOf: (index: number) => Path,
  messageOf: (item: T) => string,
): readonly SpecFault[] {
  return items.flatMap((item, index) =>
    items.indexOf(item) < index ? [{ path: pathOf(index), message: messageOf(item) }] : [],
  );
}
