// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice, defineAdapter, Type } from "../../plugins/sdk/index.ts";
import { formatterFor } from "./format.ts";
import { createLineWriter } from "./line-writer.ts";
import { recordOfLogEntry, recordOfMetric, recordOfSpan } from "./record.ts";

/** Writes telemetry to the standard output or error of this process, one record per line. */
export const stdout = defineAdapter({
  name: "stdout",
  description: "Writes logs, metrics and spans to standard output or standard error, a line each.",
  templates: ["logentry", "metric", "tracespan"],
  config: Type.Object({
    format: Choice(
      ["auto", "json", "text"],
      "json: one JSON object a line; text: for people; auto: text on a terminal, json elsewhere.",
      { default: "auto" },
    ),
    stream: Choice(["stdout", "stderr"], "The stream to write to.", { default: "stdout" }),
  }),
  build({ config }) {
    const stream = process[config.stream];
    const writer = createLineWriter(stream);
    const format = formatterFor(config.format, { isTerminal: stream.isTTY === true, env: process.env });
    return {
      logentry: (entries, { signal }) => writer.write(entries.map(recordOfLogEntry).map(format), signal),
      metric: (metrics, { signal }) => writer.write(metrics.map(recordOfMetric).map(format), signal),
      tracespan: (spans, { signal }) => writer.write(spans.map(recordOfSpan).map(format), signal),
      healthy: () => writer.healthy,
      close: () => writer.close(),
    };
  },
});
