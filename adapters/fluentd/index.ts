// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import {
  type CallContext,
  createJsonRecords,
  defineAdapter,
  durationMs,
  type PartialFailure,
  PurserError,
} from "../../plugins/sdk/index.ts";
import { chunksOf } from "./chunks.ts";
import { type Codec, loadCodec } from "./codec.ts";
import { CONFIG, type FluentdConfig, faultsOf } from "./config.ts";
import type { Target } from "./connection.ts";
import { type EventTemplate, recordOf, tagOf } from "./events.ts";
import { Forwarder } from "./forwarder.ts";

/** Sends telemetry to Fluentd, Fluent Bit or another server of the Forward protocol v1. */
export const fluentd = defineAdapter({
  name: "fluentd",
  description: "Sends logs, metrics, spans and decisions to Fluentd or Fluent Bit (Forward protocol).",
  templates: ["logentry", "metric", "tracespan", "decision"],
  config: CONFIG,
  check: faultsOf,
  build({ config, files, scheduler, logger }) {
    const { tag, ack, compress, maxChunkBytes, redact, caFile } = config;
    const records = createJsonRecords({ redact });
    let ca: string | undefined;
    const unwatch =
      caFile === undefined
        ? undefined
        : files.watch(
            caFile,
            (text) => (ca = text),
            (error) => logger.warn("caFile could not be read", { caFile, reason: error.message }),
          );
    const forwarder = new Forwarder(() => targetOf(config, ca), scheduler);
    let loading: Promise<Codec> | undefined;
    const send = async <T extends { readonly name: string }>(
      template: EventTemplate,
      batch: readonly T[],
      timeOf: (instance: T) => number,
      jsonOf: (instance: T) => string,
      { signal }: CallContext,
    ): Promise<PartialFailure> => {
      const codec = await (loading ??= loadCodec());
      const prepare = () => {
        const events = batch.map((instance) => ({
          tag: tagOf(tag, template, instance.name),
          timeMs: timeOf(instance),
          record: recordOf(jsonOf(instance)),
        }));
        return chunksOf(events, codec, { maxChunkBytes, gzip: compress === "gzip", ack });
      };
      const { refused } = await forwarder.send(batch, codec, prepare, signal);
      return { refused };
    };
    const timestampOf = (instance: { readonly timestampMs: number }) => instance.timestampMs;
    return {
      logentry: (entries, call) => send("logentry", entries, timestampOf, records.logentry, call),
      metric: (metrics, call) => send("metric", metrics, timestampOf, records.metric, call),
      tracespan: (spans, call) => send("tracespan", spans, (span) => span.startMs, records.tracespan, call),
      decision: (decisions, call) => send("decision", decisions, timestampOf, records.decision, call),
      healthy: () => forwarder.healthy,
      close() {
        unwatch?.();
        forwarder.close();
      },
    };
  },
});

function targetOf(config: FluentdConfig, ca: string | undefined): Target {
  const { host, port, tls, caFile, serverName, sharedKey, username, password, ack } = config;
  if (caFile !== undefined && ca === undefined)
    throw new PurserError("PURSER_HANDLER_FAILED", `caFile ${caFile} has not been read`, { retryable: true });
  const user = username === undefined ? undefined : { name: username, password: password ?? "" };
  const selfHostname = config.selfHostname ?? hostname();
  return {
    host,
    port,
    tls: tls ? { ca, serverName } : undefined,
    credentials: sharedKey === undefined ? undefined : { sharedKey, selfHostname, user },
    ack,
    connectTimeoutMs: durationMs(config.connectTimeout),
  };
}
