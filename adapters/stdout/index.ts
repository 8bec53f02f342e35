// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CallContext, Choice, defineAdapter, type MaybePromise, Type } from "../../plugins/sdk/index.ts";
import { formatterFor } from "./format.ts";
import { createLineWriter } from "./line-writer.ts";
import { type OutputRecord, recordOfLogEntry, recordOfMetric, recordOfSpan } from "./record.ts";

/** Writes telemetry to the standard output or error of this process, one record per line. */
export const stdout = defineAdapter({
  name: "stdout",
  description: "Writes logs, metrics and spans to standard output or standard error, a line each.",
  templates: ["logentry", "metric", "tracespan"],
  confined: true,
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
    const write = <T>(
      items: readonly T[],
      recordOf: (item: T) => OutputRecord,
      call: CallContext,
    ): MaybePromise<void> => {
      const parts: string[] = [];
      for (const item of items) {
        if (parts.length > 0) parts.push("\n");
        format(recordOf(item), parts);
      }
      return writer.write(parts.length === 0 ? [] : [parts.join("")], call);
    };
    return {
      logentry: (entries, call) => write(entries, recordOfLogEntry, call),
      metric: (metrics, call) => write(metrics, recordOfMetric, call),
      tracespan: (spans, call) => write(spans, recordOfSpan, call),
      healthy: () => writer.healthy,
      close: () => writer.close(),
    };
  },
});
