// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Histogram, type Registry } from "prom-client";
import { parseAllDocuments } from "yaml";
import { systemClock } from "../../cli/compose/platform.ts";
import type { Identity } from "../../identity/identity.ts";
import { createIdentityMetrics } from "../../identity/servers/http-metrics.ts";
import { MixerMetrics } from "../../mixer/runtime/metrics/mixer-metrics.ts";
import type { Pilot } from "../../pilot/pilot.ts";
import { createPilotMetrics } from "../../pilot/servers/http-metrics.ts";
import { addMeshMetrics } from "../../proxy/exchange/mesh-metrics.ts";
import { ProxyStats } from "../../proxy/exchange/stats.ts";
import { PoolMetrics } from "../../proxy/workers/pool-metrics.ts";
import type { LongPolls } from "../../server/http/long-polls.ts";

/** Metrics that exist, for tests of queries. */

export type MetricType = "counter" | "gauge" | "histogram";

export interface KnownMetric {
  readonly type: MetricType;
  readonly labels: readonly string[];
}

/** Every metric of mixer, pilot and proxy, by name, as their registries declare it. */
export async function programMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const mixer = new MixerMetrics(systemClock, () => []);
  mixer.watchCounts({});
  // Pilot and its polls are read at a scrape only.
  const pilot = createPilotMetrics({} as Pilot, {} as LongPolls);
  const proxy = new ProxyStats(
    () =>
      ({ clusters: new Map(), endpoints: new Map() }) as unknown as ReturnType<
        ConstructorParameters<typeof ProxyStats>[0]
      >,
    () => ({}),
    () => 0,
    () => [],
    () => true,
    () => ({
      size: 0,
      counts: { allowed: 0, refused: 0, undecided: 0 },
      expiries: { counts: { certificate: 0, token: 0 } },
    }),
  );
  addMeshMetrics(proxy.registry, {
    openCount: 0,
    revokedTotal: 0,
    credential: { material: undefined },
  });
  const identity = createIdentityMetrics({} as Identity, {} as LongPolls);
  const registries = [mixer.registry, pilot.registry, proxy.registry, identity];
  const pool = await new PoolMetrics(() => 1).exposition([]);
  return new Map([...registries.flatMap(declaredIn), ...unlabelledIn(pool)]);
}

/** Metrics of adapters, which a page shows as `purser_name_total{label,label}`. */
export function adapterMetrics(page: string): ReadonlyMap<string, KnownMetric> {
  return new Map(
    [...page.matchAll(/`(purser_\w+)\{([\w,]+)\}`/g)].map(([, name = "", labels = ""]) => [
      name,
      { type: name.endsWith("_total") ? "counter" : "gauge", labels: labels.split(",") },
    ]),
  );
}

/** The metrics that the Metric documents of a file make, without a prefix. */
export function documentMetrics(yaml: string): ReadonlyMap<string, KnownMetric> {
  const documents = parseAllDocuments(yaml).map(
    (document) =>
      document.toJS() as {
        readonly kind: string;
        readonly metadata: { readonly name: string };
        readonly spec: { readonly type: MetricType; readonly labels?: Readonly<Record<string, string>> };
      },
  );
  return new Map(
    documents
      .filter(({ kind }) => kind === "Metric")
      .map(({ metadata, spec }) => [
        metadata.name,
        { type: spec.type, labels: Object.keys(spec.labels ?? {}) },
      ]),
  );
}

/** The series that metrics are scraped as: a histogram is three, of which `_bucket` has the label `le`. */
export function seriesOf(metrics: ReadonlyMap<string, KnownMetric>): ReadonlyMap<string, KnownMetric> {
  return new Map(
    [...metrics].flatMap(([name, metric]): (readonly [string, KnownMetric])[] => {
      if (metric.type !== "histogram") return [[name, metric]];
      const { labels } = metric;
      return [
        [`${name}_bucket`, { type: "counter", labels: [...labels, "le"] }],
        [`${name}_sum`, { type: "counter", labels }],
        [`${name}_count`, { type: "counter", labels }],
      ];
    }),
  );
}

function declaredIn(registry: Registry): (readonly [string, KnownMetric])[] {
  return registry.getMetricsAsArray().map((metric) => {
    const { name } = metric;
    // prom-client's metrics have the field, and its types do not declare it.
    const { labelNames } = metric as unknown as { readonly labelNames: readonly string[] };
    const type = metric instanceof Histogram ? "histogram" : metric instanceof Counter ? "counter" : "gauge";
    return [name, { type, labels: labelNames }];
  });
}

/** The metrics of a text in Prometheus' format, none of which has labels. */
function unlabelledIn(text: string): (readonly [string, KnownMetric])[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type]) => [
    name,
    { type: type as MetricType, labels: [] },
  ]);
}
