// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import type { OverloadSettings } from "../../traffic/resources/overload.ts";
import { ExportTo, faultsOfExportTo } from "./export-to.ts";
import { Closed, Duration, Expression, Mode } from "./fields.ts";
import { displayName, type KindDefinition, type Metadata } from "./kind.ts";
import { WildcardHost } from "./traffic-fields.ts";

const Concurrency = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description });

function Priority(description: string) {
  const fixed = Type.Integer({ minimum: 0, maximum: 7 });
  return Type.Union([Expression({ phase: "request", result: "any" }, description), fixed], { description });
}

const OverloadSpec = Closed({
  host: WildcardHost("The service: a ServiceEntry's host, its short name, or `*.example.com`."),
  priority: Type.Optional(
    Priority(
      "A request's priority, from 0 (shed last) to 7 (shed first), rounded to a whole number: the urgency of RFC 9218. Default 3, also for a value that is absent or no number, and when the expression fails.",
    ),
  ),
  concurrency: Type.Optional(
    Closed(
      {
        min: Type.Optional(
          Concurrency(
            "Requests that may be under way in any case, and while the baseline is measured; default 3.",
          ),
        ),
        max: Type.Optional(Concurrency("Requests that may be under way at most; default 1000.")),
        updateInterval: Type.Optional(Duration("Time between two changes of the limit; default 100ms.")),
        latencyPercentile: Type.Optional(
          Type.Number({
            minimum: 1,
            maximum: 100,
            description: "The percentile of the latencies that is compared with the baseline; default 50.",
          }),
        ),
      },
      {
        description: "The limit of the requests that are under way from one proxy; it follows the latencies.",
      },
    ),
  ),
  baseline: Type.Optional(
    Closed(
      {
        interval: Type.Optional(Duration("Time between two measurements; default 60s.")),
        jitterPercent: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 100,
            description: "Share of the interval by which a measurement may be later, at random; default 15.",
          }),
        ),
        requests: Type.Optional(
          Type.Integer({ minimum: 5, maximum: 1_000, description: "Requests of a measurement; default 50." }),
        ),
        bufferPercent: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 1_000,
            description:
              "Latency above the baseline, in percent of it, that is no sign of overload; default 25.",
          }),
        ),
      },
      { description: "The latency without overload, which is measured with few requests under way." },
    ),
  ),
  queue: Type.Optional(
    Closed(
      {
        length: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 100_000,
            description: "Requests that wait for their turn at most; default 100, 0 for none.",
          }),
        ),
        timeout: Type.Optional(Duration("Longest wait; then the request is shed; default 100ms.")),
      },
      { description: "Requests above the limit, which wait in the order of their priority." },
    ),
  ),
  mode: Mode(),
  exportTo: ExportTo(),
});

export type OverloadSpec = Static<typeof OverloadSpec>;

export const OVERLOAD = {
  kind: "Overload",
  apiVersions: ["purser.dev/v1"],
  description:
    "Protects a service from more requests than it can answer: the least important are shed when its latency rises.",
  spec: OverloadSpec,
  check: checkOverload,
} as const satisfies KindDefinition;

/** The defaults of Envoy's adaptive concurrency filter, where it has one. */
const DEFAULTS = {
  minConcurrency: 3,
  maxConcurrency: 1_000,
  updateIntervalMs: 100,
  latencyPercentile: 50,
  baselineIntervalMs: 60_000,
  baselineJitterPercent: 15,
  baselineRequests: 50,
  baselineBufferPercent: 25,
  queueLength: 100,
  queueTimeoutMs: 100,
};

/** The document's settings, with the defaults. */
export function overloadSettingsOf(metadata: Metadata, spec: OverloadSpec): OverloadSettings {
  const { priority, concurrency, baseline, queue, mode } = spec;
  return {
    document: displayName(metadata),
    mode: mode ?? "enforce",
    ...(priority === undefined ? {} : { priority: String(priority) }),
    limit: {
      minConcurrency: concurrency?.min ?? DEFAULTS.minConcurrency,
      maxConcurrency: concurrency?.max ?? DEFAULTS.maxConcurrency,
      updateIntervalMs: parseDurationMs(concurrency?.updateInterval ?? "") ?? DEFAULTS.updateIntervalMs,
      latencyPercentile: concurrency?.latencyPercentile ?? DEFAULTS.latencyPercentile,
      baselineIntervalMs: parseDurationMs(baseline?.interval ?? "") ?? DEFAULTS.baselineIntervalMs,
      baselineJitterPercent: baseline?.jitterPercent ?? DEFAULTS.baselineJitterPercent,
      baselineRequests: baseline?.requests ?? DEFAULTS.baselineRequests,
      baselineBufferPercent: baseline?.bufferPercent ?? DEFAULTS.baselineBufferPercent,
    },
    queueLength: queue?.length ?? DEFAULTS.queueLength,
    queueTimeoutMs: parseDurationMs(queue?.timeout ?? "") ?? DEFAULTS.queueTimeoutMs,
  };
}

function checkOverload({ concurrency, exportTo }: OverloadSpec): readonly SpecFault[] {
  const faults = faultsOfExportTo(exportTo);
  const min = concurrency?.min ?? DEFAULTS.minConcurrency;
  const max = concurrency?.max ?? DEFAULTS.maxConcurrency;
  if (min <= max) return faults;
  const field = concurrency?.max === undefined ? "min" : "max";
  return [
    ...faults,
    {
      path: ["concurrency", field],
      message: `The least concurrency, ${min}, is above the greatest, ${max}`,
    },
  ];
}
