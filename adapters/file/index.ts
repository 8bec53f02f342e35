// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  BatchWriter,
  type CallContext,
  createJsonRecords,
  defineAdapter,
  durationMs,
  LogFile,
  messageOf,
} from "../../plugins/sdk/index.ts";
import { CONFIG, faultsOf } from "./config.ts";

/** Appends telemetry to a file that rotates itself, a line of JSON each. */
export const file = defineAdapter({
  name: "file",
  description: "Appends logs, metrics, spans and decisions to a rotating file, a line of JSON each.",
  templates: ["logentry", "metric", "tracespan", "decision"],
  config: CONFIG,
  check: faultsOf,
  build({ config, clock, logger }) {
    const { path, maxBytes, maxFiles, interval, gzip, fsync, mode, redact } = config;
    const records = createJsonRecords({ redact });
    const writer = new BatchWriter(
      new LogFile({
        path,
        maxFileBytes: maxBytes,
        keepFiles: maxFiles,
        ...(interval === undefined ? {} : { intervalMs: durationMs(interval) }),
        gzip,
        sync: fsync === "batch",
        mode: Number.parseInt(mode, 8),
        nowMs: () => clock.nowMs(),
        onFault: (error) =>
          logger.warn("a rotated file could not be compressed", { path, reason: messageOf(error) }),
      }),
    );
    const write = <T>(
      batch: readonly T[],
      record: (instance: T) => string,
      { signal }: CallContext,
    ): Promise<void> =>
      writer.write(batch, () => batch.map((instance) => `${record(instance)}\n`).join(""), signal);
    return {
      logentry: (entries, call) => write(entries, records.logentry, call),
      metric: (metrics, call) => write(metrics, records.metric, call),
      tracespan: (spans, call) => write(spans, records.tracespan, call),
      decision: (decisions, call) => write(decisions, records.decision, call),
      healthy: () => writer.healthy,
      close: () => writer.close(),
    };
  },
});
