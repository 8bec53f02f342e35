// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter, durationMs, type ExtensionContext } from "../../plugins/sdk/index.ts";
import { CONFIG, type Config, faultsOf } from "./config.ts";
import { Exporter } from "./exporter.ts";
import { GrpcSender } from "./grpc-sender.ts";
import { HttpSender } from "./http-sender.ts";
import { MetricPush } from "./metrics/metric-push.ts";
import { MetricStore } from "./metrics/metric-store.ts";
import type { Resource } from "./otlp.ts";
import { logBatchOf, outcomeOf, spanBatchOf } from "./reports.ts";
import { resourceOf } from "./resource.ts";
import { SelfMetrics } from "./self-metrics.ts";

/** Sends metrics, logs and spans to a receiver of the OpenTelemetry protocol. */
export const opentelemetry = defineAdapter({
  name: "opentelemetry",
  description: "Sends metrics, logs and spans by the OpenTelemetry protocol (OTLP).",
  templates: ["metric", "logentry", "tracespan"],
  // Every record has its own time, and the receiver needs no order.
  ordered: false,
  config: CONFIG,
  check: faultsOf,
  build(context) {
    const { config, logger, clock, random } = context;
    const resource = resourceOf(config.resource, random);
    const sender =
      config.protocol === "grpc" ? new GrpcSender(config) : new HttpSender(config, context.http, clock);
    const exporter = new Exporter(config.protocol, sender, logger);
    const self = new SelfMetrics(context.handler);
    const { store, push } = metricsOf(context, { exporter, resource, self });
    return {
      metric(instances) {
        for (const instance of instances) store.record(instance);
        if (instances.length > 0) push.start();
      },
      async logentry(instances, call) {
        if (instances.length === 0) return undefined;
        const options = { resource, bodyVariable: config.bodyVariable, observedMs: clock.nowMs() };
        const partial = await exporter.send("logs", logBatchOf(instances, options), call);
        return outcomeOf(partial, [...instances.keys()]);
      },
      async tracespan(instances, call) {
        const { spans, indexes, refused } = spanBatchOf(instances, resource);
        if (spans.length === 0) return outcomeOf({ rejected: 0, message: "" }, indexes, refused);
        return outcomeOf(await exporter.send("traces", spans, call), indexes, refused);
      },
      exposition: () => self.text(),
      healthy: () => exporter.isHealthy,
      async close() {
        await push.close();
        exporter.close();
      },
    };
  },
});

function metricsOf(
  { config, clock, logger, random, scheduler }: ExtensionContext<Config>,
  shared: { readonly exporter: Exporter; readonly resource: Resource; readonly self: SelfMetrics },
): { readonly store: MetricStore; readonly push: MetricPush } {
  const { maxSeries, histogram, exemplars, expireAfter } = config;
  const store = new MetricStore({
    maxSeries,
    histogram,
    exemplars,
    expireAfterMs: expireAfter === undefined ? undefined : durationMs(expireAfter),
    clock,
    logger,
    self: shared.self,
  });
  const push = new MetricPush({
    ...shared,
    store,
    intervalMs: durationMs(config.interval),
    timeoutMs: durationMs(config.timeout),
    logger,
    scheduler,
    random,
  });
  return { store, push };
}
