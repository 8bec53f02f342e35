// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { ExportTo, faultsOfExportTo } from "./export-to.ts";
import { Choice, Closed, Duration } from "./fields.ts";
import { headerMapFaults } from "./header-faults.ts";
import type { KindDefinition } from "./kind.ts";
import { MapOf } from "./map-of.ts";
import { shortDurationFaults } from "./short-duration.ts";
import { Host, PortNumber } from "./traffic-fields.ts";

const Threshold = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description });

const Status = (description: string) => Type.Integer({ minimum: 100, maximum: 600, description });

/** The methods of checks: those of Envoy's that need no body and open no tunnel. */
const METHODS = ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE"] as const;

const HealthCheckSpec = Closed({
  host: Host("The service: a ServiceEntry's host, or its short name."),
  subset: Type.Optional(
    Type.String({
      minLength: 1,
      description: "A subset of its DestinationRule; the service and all of its subsets when absent.",
    }),
  ),
  port: Type.Optional(
    Closed(
      { number: PortNumber("The port's number.") },
      { description: "A port of the service; all when absent." },
    ),
  ),
  http: Type.Optional(
    Closed(
      {
        path: Type.String({
          pattern: "^/[!-~]*$",
          maxLength: 8_192,
          description: "The request's path, perhaps with a query.",
          [FORM_KEYWORD]: "a path that begins with a slash, without spaces",
        }),
        host: Type.Optional(
          Type.String({
            pattern: "^[!-~]+$",
            maxLength: 300,
            description: "The Host header; default the service's host.",
            [FORM_KEYWORD]: "a host name, perhaps with a port",
          }),
        ),
        method: Type.Optional(Choice(METHODS, "The request's method; default GET.")),
        expectedStatuses: Type.Optional(
          Type.Array(
            Closed({
              start: Status("The first status of the range."),
              end: Status("The status after the last of the range."),
            }),
            {
              minItems: 1,
              maxItems: 32,
              description: "Ranges of the statuses that are a success; default 200 alone.",
            },
          ),
        ),
        headers: Type.Optional(MapOf(Type.String(), { description: "Further headers of the request." })),
      },
      { description: "Checks by an HTTP request." },
    ),
  ),
  tcp: Type.Optional(Closed({}, { description: "Checks by opening a connection." })),
  grpc: Type.Optional(
    Closed(
      {
        service: Type.Optional(
          Type.String({
            maxLength: 1_024,
            description: "The service to ask about; default the whole server.",
          }),
        ),
      },
      { description: "Checks by grpc.health.v1.Health/Check, over HTTP/2." },
    ),
  ),
  interval: Duration("Time from the end of a check to the start of the next; at least 1ms."),
  timeout: Duration("Longest time of one check, its connection included; at least 1ms."),
  unhealthyThreshold: Threshold(
    "Consecutive checks without an answer after which an endpoint is unhealthy; an answer other than the expected one makes it unhealthy at once.",
  ),
  healthyThreshold: Threshold(
    "Consecutive successes after which an unhealthy endpoint is healthy; its very first check decides at once.",
  ),
  initialJitter: Type.Optional(
    Duration("Upper bound of a random delay before an endpoint's first check; default 0s."),
  ),
  noTrafficInterval: Type.Optional(
    Duration("The interval while the proxy has sent the destination no request; at least 1ms; default 60s."),
  ),
  exportTo: ExportTo(),
});

export type HealthCheckSpec = Static<typeof HealthCheckSpec>;

export const HEALTH_CHECK = {
  kind: "HealthCheck",
  apiVersions: ["purser.dev/v1"],
  description: "Checks the endpoints of a service, so that requests go to healthy ones alone.",
  spec: HealthCheckSpec,
  check: checkHealthCheck,
} as const satisfies KindDefinition;

const PROBES = ["http", "tcp", "grpc"] as const;

function checkHealthCheck(spec: HealthCheckSpec): readonly SpecFault[] {
  const { interval, timeout, noTrafficInterval, http } = spec;
  const probes = PROBES.filter((probe) => spec[probe] !== undefined);
  const last = probes.at(-1);
  return [
    ...(probes.length === 1
      ? []
      : [
          {
            path: last === undefined ? [] : [last],
            message: "Exactly one of http, tcp and grpc must be given",
          },
        ]),
    ...shortDurationFaults(interval, ["interval"]),
    ...shortDurationFaults(timeout, ["timeout"]),
    ...shortDurationFaults(noTrafficInterval, ["noTrafficInterval"]),
    ...(http?.expectedStatuses ?? []).flatMap(({ start, end }, index) =>
      start < end
        ? []
        : [
            {
              path: ["http", "expectedStatuses", index, "end"],
              message: `The range ends before status ${end}, so it must be above ${start}`,
            },
          ],
    ),
    ...headerMapFaults(http?.headers, ["http", "headers"], "text"),
    ...faultsOfExportTo(spec.exportTo),
  ];
}
