// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  defineAdapter,
  durationMs,
  type ExtensionContext,
  type MetricInstance,
  PurserError,
} from "../../plugins/sdk/index.ts";
import { GoogleApi } from "./api/google-api.ts";
import { createTokens } from "./auth/credentials.ts";
import type { TokenSource } from "./auth/token-source.ts";
import { CONFIG, faultsOf, type StackdriverConfig } from "./config.ts";
import { Counters } from "./counters.ts";
import { EntryFormat } from "./logs/entry.ts";
import { LogWriter } from "./logs/log-writer.ts";
import { Descriptors } from "./metrics/descriptors.ts";
import { MetricBook } from "./metrics/metric.ts";
import { MetricPush } from "./metrics/metric-push.ts";
import { SeriesTable } from "./metrics/series-table.ts";
import { TimeSeriesWriter } from "./metrics/time-series.ts";
import { type Origin, originOf } from "./resource.ts";
import { TraceWriter } from "./traces/trace-writer.ts";

type Context = ExtensionContext<StackdriverConfig>;

/** Sends metrics, log entries and spans to Google Cloud's Monitoring, Logging and Trace. */
export const stackdriver = defineAdapter({
  name: "stackdriver",
  description: "Sends metrics, log entries and spans to Google Cloud's Monitoring, Logging and Trace.",
  templates: ["metric", "logentry", "tracespan"],
  ordered: false,
  config: CONFIG,
  check: faultsOf,
  build(context) {
    const { config, handler, http, clock, logger } = context;
    const { endpoints, project } = config;
    const tokens = createTokens(context, process.env);
    const apiOf = (service: string, endpoint: string): GoogleApi =>
      new GoogleApi({ service, endpoint: endpoint.replace(/\/$/, ""), http, tokens, clock });
    const apis = {
      monitoring: apiOf("Cloud Monitoring", endpoints.monitoring),
      logging: apiOf("Cloud Logging", endpoints.logging),
      trace: apiOf("Cloud Trace", endpoints.trace),
    };
    const origin = originOf(config, handler);
    const counters = new Counters(handler, logger);
    const metrics = createMetrics(context, apis.monitoring, origin, counters);
    const logs = new LogWriter(apis.logging, new EntryFormat(config), origin);
    const traces = new TraceWriter(apis.trace, project);
    return {
      metric(instances) {
        metrics.report(instances);
      },
      logentry: (instances, call) => logs.write(instances, call),
      tracespan: (instances, call) => traces.write(instances, call),
      exposition: () => counters.text(),
      healthy: () => Object.values(apis).every((api) => api.healthy),
      close: () => closeAll(metrics.push, tokens),
    };
  },
});

async function closeAll(push: MetricPush, tokens: TokenSource): Promise<void> {
  await push.close();
  tokens.close();
}

/** The way of metrics: reports are counted in a table, whose series are pushed every interval. */
function createMetrics(
  { config, clock, scheduler, logger }: Context,
  api: GoogleApi,
  origin: Origin,
  counters: Counters,
) {
  const { project, maxSeries } = config;
  const metrics = new MetricBook(config, origin, counters);
  const expireAfterMs = durationMs(config.expireAfter);
  const table = new SeriesTable({ metrics, counters, clock, maxSeries, expireAfterMs });
  const push = new MetricPush({
    table,
    writer: new TimeSeriesWriter({ api, project, origin, clock, counters }),
    descriptors: new Descriptors(api, project, Object.keys(origin.metricLabels), counters),
    counters,
    clock,
    scheduler,
    logger,
    intervalMs: durationMs(config.interval),
    timeoutMs: durationMs(config.timeout),
    closeTimeoutMs: durationMs(config.closeTimeout),
  });
  return {
    push,
    report(instances: readonly MetricInstance[]): void {
      if (push.isClosed)
        throw new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
      for (const instance of instances) table.fold(instance);
      if (table.size > 0) push.start();
    },
  };
}
