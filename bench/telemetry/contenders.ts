// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "../check/contenders.ts";
import { freePort } from "../machine/free-port.ts";
import { nodeVersion } from "../machine/node-version.ts";
import type { Ready } from "../proxy/contenders/contender.ts";
import { answersHttp } from "../proxy/probe.ts";

type HandlerName = "prometheus" | "kafka" | "otlp";

/** A mixer with handlers that its reports go to. */
export interface MixerContender {
  readonly name: string;
  /** Shown by --help. */
  readonly summary: string;
  readonly handlers: readonly HandlerName[];
}

/** Name of the contender that the others are compared with. */
export const NONE = "none";

export const CONTENDERS: readonly MixerContender[] = [
  { name: NONE, summary: "purser mixer without handlers, which reads the reports only", handlers: [] },
  { name: "prometheus", summary: "a counter and a histogram, kept for a scrape", handlers: ["prometheus"] },
  {
    name: "kafka",
    summary: "counter, histogram and log entry as records of a broker on the load's core",
    handlers: ["kafka"],
  },
  {
    name: "otlp",
    summary: "counter, histogram, log entry and span to a receiver that reads and answers",
    handlers: ["otlp"],
  },
  { name: "all", summary: "all three at once", handlers: ["prometheus", "kafka", "otlp"] },
];

/** Addresses of the receivers. */
export interface Receivers {
  readonly otlpPort: number;
  /** `host:port` of the Kafka broker; undefined when there is none. */
  readonly kafkaBroker: string | undefined;
}

/** The topics of the Kafka handler, which never creates one. */
export const TOPICS: readonly string[] = ["purser.metric", "purser.logentry"];

/** Templates whose instances each handler takes. */
const TAKES: Readonly<Record<"Metric" | "LogEntry" | "TraceSpan", readonly HandlerName[]>> = {
  Metric: ["prometheus", "kafka", "otlp"],
  LogEntry: ["kafka", "otlp"],
  TraceSpan: ["otlp"],
};

/** The documents of a mixer that sends the telemetry of each request to the handlers, as YAML. */
export function documentsFor(handlers: readonly HandlerName[], receivers: Receivers): string {
  const document = (kind: string, name: string, spec: object): object => ({
    apiVersion: "purser.dev/v1",
    kind,
    metadata: { name },
    spec,
  });
  const instance = (kind: keyof typeof TAKES, name: string, spec: object): readonly object[] => {
    const takers = TAKES[kind].filter((handler) => handlers.includes(handler));
    return takers.length === 0 ? [] : [document(kind, name, { ...spec, handlers: takers })];
  };
  const service = "destination.service.name";
  return [
    // A mixer refuses a set of documents that has nothing for it. No report evaluates this document.
    document("AccessPolicy", "loopback", { action: "ALLOW", when: 'source.ip = "127.0.0.1"' }),
    ...handlers.map((name) => document("Handler", name, handlerSpec(name, receivers))),
    ...instance("Metric", "requests_total", {
      type: "counter",
      value: 1,
      labels: { code: "response.code", method: "request.method", service, source: "source.principal" },
    }),
    ...instance("Metric", "request_duration", {
      type: "histogram",
      unit: "ms",
      value: "response.duration",
      labels: { service },
    }),
    ...instance("LogEntry", "access", {
      variables: {
        method: "request.method",
        path: "request.path",
        code: "response.code",
        ms: "response.duration",
        user: 'request.headers."x-user"',
        ip: "source.ip",
      },
    }),
    ...instance("TraceSpan", "spans", { tags: { "url.path": "request.url_path" } }),
  ]
    .map((each) => JSON.stringify(each))
    .join("\n---\n");
}

function handlerSpec(name: HandlerName, { otlpPort, kafkaBroker }: Receivers): object {
  switch (name) {
    case "prometheus":
      return { adapter: "prometheus" };
    case "kafka":
      return { adapter: "kafka", config: { brokers: [kafkaBroker] } };
    case "otlp":
      // Metrics are pushed at least once in each round: a push that became due in the contender's rest follows its resumption.
      return {
        adapter: "opentelemetry",
        config: { endpoint: `http://127.0.0.1:${otlpPort}`, interval: "10s" },
      };
  }
}

/** Writes the contender's documents. Resolves with the reason when one of its receivers is missing. */
export async function prepareMixer(
  { name, handlers }: MixerContender,
  receivers: Receivers & { readonly missing: Readonly<Record<string, string>> },
  folder: string,
  node: string,
): Promise<Ready | { readonly missing: string }> {
  const reason = handlers.map((handler) => receivers.missing[handler]).find((text) => text !== undefined);
  if (reason !== undefined) return { missing: reason };
  const documents = join(folder, name);
  mkdirSync(documents);
  writeFileSync(join(documents, "telemetry.yaml"), documentsFor(handlers, receivers));
  const port = await freePort();
  const command = [node, PROGRAM, "mixer", "--config", documents, "--mixer-port", String(port)];
  return { version: nodeVersion(node), port, isAnswering: answersHttp("/readyz"), command };
}
