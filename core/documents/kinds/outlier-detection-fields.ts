// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Closed, Duration } from "./fields.ts";
import { shortDurationFaults } from "./short-duration.ts";

const Failures = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description }));

const OutlierDetectionSpec = Closed(
  {
    consecutive5xxErrors: Failures(
      "Consecutive 5xx responses after which an endpoint is ejected; failures without a response count as 503 or 504; 0 turns the rule off; default 5.",
    ),
    consecutiveGatewayErrors: Failures(
      "Consecutive 502, 503 and 504 responses after which an endpoint is ejected; default 0: the rule is off.",
    ),
    splitExternalLocalOriginErrors: Type.Optional(
      Type.Boolean({
        description:
          "Whether failures without a response (no connection, a reset, a timeout) are counted apart, by consecutiveLocalOriginFailures; default false.",
      }),
    ),
    consecutiveLocalOriginFailures: Failures(
      "Consecutive failures without a response after which an endpoint is ejected, with splitExternalLocalOriginErrors; default 5; 0 turns the rule off.",
    ),
    interval: Type.Optional(
      Duration("Time between two sweeps, which end ejections; at least 1ms; default 10s."),
    ),
    baseEjectionTime: Type.Optional(
      Duration(
        "Duration of an endpoint's first ejection, and of each further one in a row the n-th part of its duration; 5m at most in all; at least 1ms; default 30s.",
      ),
    ),
    maxEjectionPercent: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description:
          "Most endpoints that are ejected at once, in percent; one may be in any case; default 10. 0 is refused: Istio reads it as the default.",
      }),
    ),
    minHealthPercent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description:
          "When fewer endpoints than this are healthy, in percent, all of them are used; default 0: never.",
      }),
    ),
  },
  { description: "Ejects endpoints that fail requests, for a while; default none." },
);

export type OutlierDetectionSpec = Static<typeof OutlierDetectionSpec>;

/** The field outlierDetection of a traffic policy. */
export const OutlierDetection = Type.Optional(OutlierDetectionSpec);

/** @param path Path of the traffic policy inside `spec`. */
export function outlierDetectionFaults(
  spec: OutlierDetectionSpec | undefined,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  if (spec === undefined) return [];
  const here = [...path, "outlierDetection"];
  return [
    ...shortDurationFaults(spec.interval, [...here, "interval"]),
    ...shortDurationFaults(spec.baseEjectionTime, [...here, "baseEjectionTime"]),
  ];
}
