// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FluentServer } from "@fluent-org/logger";
import { fluentd } from "../../adapters/fluentd/index.ts";
import { kafka } from "../../adapters/kafka/index.ts";
import { loki } from "../../adapters/loki/index.ts";
import { opentelemetry } from "../../adapters/opentelemetry/index.ts";
import { stackdriver } from "../../adapters/stackdriver/index.ts";
import { webhook } from "../../adapters/webhook/index.ts";
import { zipkin } from "../../adapters/zipkin/index.ts";
import type { AdapterDefinition } from "../../core/hooks/extension.ts";
import type { TemplateName } from "../../core/templates/template-names.ts";
import { logEntryInstance, traceSpanInstance } from "../../plugins/sdk/testing/index.ts";
import { freePort } from "../../bench/machine/free-port.ts";
import { startCollector } from "../support/collector.ts";
import { startGoogleStandIn } from "../support/google-stand-in/server.ts";
import { startKafka } from "../support/kafka-broker.ts";
import { KafkaTopics } from "../support/kafka-topics.ts";
import { startVictoriaLogs } from "../support/victoria-logs.ts";
import { startZipkinServer } from "../support/zipkin-server.ts";
import type { BackendOptions, Behaviour } from "./backend.ts";

/** An adapter in the table of failures. */
export interface Subject {
  readonly definition: AdapterDefinition;
  readonly template: TemplateName;
  /** The instance with a number, which no other instance has. */
  readonly instance: (index: number) => unknown;
  readonly config: (port: number) => Readonly<Record<string, unknown>>;
  /** The server that takes what the backend accepts, by its name in the table. */
  readonly receiver: string;
  /** Starts the real server; absent where any server will do, which then answers with `accepted`. */
  readonly start?: (context: Mocha.Context) => Promise<RealServer>;
  readonly accepted?: BackendOptions["accepted"];
  /** Number of connections that the client opens before the one that brings instances; default 0. */
  readonly connectionsBefore?: number;
  /** Whether the protocol is not HTTP, and has no statuses. */
  readonly withoutStatus?: true;
  /** An answer that refuses the first of two instances; absent where the protocol has none. */
  readonly partial?: Behaviour;
  /** An instance that the real server refuses, whatever else is in the batch; absent where `partial` answers for it. */
  readonly refused?: () => unknown;
}

/** The way to a real server. */
export interface Route {
  /** For `BackendOptions.accepted`. */
  readonly url: string;
  /** The port that the backend must have, since the server tells it to its clients; default: any. */
  readonly port?: number;
}

export interface RealServer extends Route {
  /** For the cell that runs beside the others; default: the same. */
  readonly away?: Route;
  stop(): Promise<void>;
}

/** kafkajs 2.2.4 asks for the topic's partitions on a connection of its own; the producer's, to the one broker, brings records. */
const KAFKAJS_CONNECTIONS = 1;

const logEntry = (index: number): unknown =>
  logEntryInstance({ timestampMs: Date.now(), variables: { index } });
const span = (index: number): unknown =>
  traceSpanInstance({
    spanId: (index + 1).toString(16).padStart(16, "0"),
    startMs: Date.now() - 5,
    endMs: Date.now(),
  });

function json(status: number, body: unknown): Behaviour {
  return { status, headers: "content-type: application/json\r\n", body: JSON.stringify(body) };
}

export const SUBJECTS: readonly Subject[] = [
  {
    definition: webhook as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    config: (port) => ({ url: `http://127.0.0.1:${port}/` }),
    accepted: { status: 204 },
    receiver: "any HTTP server",
  },
  {
    definition: loki as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    config: (port) => ({ url: `http://127.0.0.1:${port}/insert` }),
    receiver: "VictoriaLogs",
    start: startVictoriaLogs,
  },
  {
    definition: zipkin as AdapterDefinition,
    template: "tracespan",
    instance: span,
    config: (port) => ({ url: `http://127.0.0.1:${port}` }),
    receiver: "Zipkin",
    start: startZipkinServer,
  },
  {
    definition: opentelemetry as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    config: (port) => ({ endpoint: `http://127.0.0.1:${port}`, protocol: "http/json" }),
    partial: json(200, { partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } }),
    receiver: "OpenTelemetry Collector",
    start: async (context) => {
      const collector = await startCollector(context);
      return { url: collector.httpUrl, stop: () => collector.stop() };
    },
  },
  {
    definition: stackdriver as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    config: (port) => {
      const url = `http://127.0.0.1:${port}`;
      const endpoints = { monitoring: url, logging: url, trace: url };
      return { project: "demo", credentials: "none", endpoints };
    },
    partial: json(403, {
      error: {
        code: 403,
        status: "PERMISSION_DENIED",
        message: "some entries were refused",
        details: [
          {
            "@type": "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors",
            logEntryErrors: { "0": { code: 7, message: "not this one" } },
          },
        ],
      },
    }),
    receiver: "a stand-in that enforces the documented limits",
    start: async () => {
      const server = await startGoogleStandIn();
      return { url: server.url, stop: () => server.close() };
    },
  },
  {
    definition: fluentd as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    config: (port) => ({ host: "127.0.0.1", port }),
    withoutStatus: true,
    receiver: "FluentServer of fluent-org",
    start: async () => {
      const server = new FluentServer({ listenOptions: { port: 0, host: "127.0.0.1" } });
      await server.listen();
      return { url: `tcp://127.0.0.1:${server.port}`, stop: () => server.close() };
    },
  },
  {
    definition: kafka as AdapterDefinition,
    template: "logentry",
    instance: logEntry,
    // A request is repeated once, within the call's timeout.
    config: (port) => ({
      brokers: [`127.0.0.1:${port}`],
      topic: "{name}",
      connectTimeout: "200ms",
      requestTimeout: "250ms",
    }),
    withoutStatus: true,
    connectionsBefore: KAFKAJS_CONNECTIONS,
    refused: () => logEntryInstance({ name: "no-such-topic" }),
    receiver: "Kafka",
    start: startKafkaServer,
  },
];

/** A broker whose listeners tell the backends' ports, which are all that its clients reach. */
async function startKafkaServer(context: Mocha.Context): Promise<RealServer> {
  const [port, awayPort] = [await freePort(), await freePort()];
  const cluster = await startKafka(context, { advertisedPorts: [port, awayPort] });
  const [node] = cluster.nodes as readonly [(typeof cluster.nodes)[number]];
  await new KafkaTopics([node.address]).create(logEntryInstance().name);
  const [url, awayUrl] = node.behindAddresses.map((address) => `tcp://${address}`) as [string, string];
  return { url, port, away: { url: awayUrl, port: awayPort }, stop: () => cluster.stop() };
}
