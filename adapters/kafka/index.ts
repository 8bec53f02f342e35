// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  type DecisionInstance,
  defineAdapter,
  durationMs,
  type LogEntryInstance,
  type MetricInstance,
  type ReportOutcome,
  type TemplateName,
  type TraceSpanInstance,
} from "../../plugins/sdk/index.ts";
import { CONFIG, type Config, faultsOf } from "./config.ts";
import type { DriverSettings } from "./driver.ts";
import { openKafkajs } from "./kafkajs-driver.ts";
import { openPlatformatic } from "./platformatic-driver.ts";
import { Records } from "./record.ts";
import { RecordSender, type SendResult } from "./sender.ts";

type Instance = MetricInstance | LogEntryInstance | TraceSpanInstance | DecisionInstance;

/** Sends telemetry and decisions to topics of Kafka, a record for each instance. */
export const kafka = defineAdapter({
  name: "kafka",
  description: "Sends logs, metrics, spans and decisions to Kafka, a record each, as JSON or CloudEvents.",
  templates: ["logentry", "metric", "tracespan", "decision"],
  config: CONFIG,
  check: faultsOf,
  build({ config, handler, logger, clock, random }) {
    const { driver, maxRecordBytes } = config;
    const open = driver === "platformatic" ? openPlatformatic : openKafkajs;
    const settings: DriverSettings = { ...settingsOf(config), logger };
    const records = new Records(config, handler);
    const { idempotent } = settings;
    const sender = new RecordSender({
      open: () => open(settings),
      idempotent,
      maxRecordBytes,
      clock,
      random,
    });
    const send = async (
      template: TemplateName,
      instances: readonly Instance[],
      call: CallContext,
    ): Promise<ReportOutcome> => {
      if (instances.length === 0) return;
      return outcomeOf(
        instances.length,
        await sender.send(
          instances.map((instance) => records.of(template, instance)),
          call.signal,
        ),
      );
    };
    return {
      logentry: (instances, call) => send("logentry", instances, call),
      metric: (instances, call) => send("metric", instances, call),
      tracespan: (instances, call) => send("tracespan", instances, call),
      decision: (instances, call) => send("decision", instances, call),
      // Without a key there is no order to keep apart: one lane has the whole queue.
      ...(config.key === undefined
        ? {}
        : { orderKey: (template, instance) => records.keyOf(template, instance) ?? "" }),
      healthy: () => sender.healthy,
      close: () => sender.close(),
    };
  },
});

function settingsOf(config: Config): Omit<DriverSettings, "logger"> {
  const { brokers, clientId, acks, idempotent, compression, sasl, tls } = config;
  return {
    brokers,
    clientId,
    acks,
    idempotent: idempotent ?? acks === "all",
    compression,
    sasl,
    tls: tls.enabled ? { ca: tls.ca } : undefined,
    connectTimeoutMs: durationMs(config.connectTimeout),
    requestTimeoutMs: durationMs(config.requestTimeout),
  };
}

/**
 * Nothing when all arrived, the refused instances when some did. When none did, for one kind of reason, the whole batch has
 * failed, which the host's circuit breaker must learn.
 */
function outcomeOf(count: number, errors: SendResult): ReportOutcome {
  const [first] = errors.values();
  if (first === undefined) return;
  const isSame = [...errors.values()].every(
    ({ code, retryable }) => code === first.code && retryable === first.retryable,
  );
  // PURSER_REQUEST_TOO_LARGE for a whole batch would have the host halve it.
  if (errors.size === count && isSame && first.code === "PURSER_HANDLER_FAILED") throw first;
  return { refused: [...errors].map(([index, error]) => ({ index, error })) };
}
