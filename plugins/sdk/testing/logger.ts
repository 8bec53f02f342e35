// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LogFields, Logger } from "../../../kernel/ports.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  /** Fields of the logger and of the line together. */
  readonly fields: LogFields;
}

/** Keeps all log lines in order, including those of child loggers. */
export interface CollectingLogger extends Logger {
  readonly lines: readonly LogLine[];
}

export function createCollectingLogger(): CollectingLogger {
  const lines: LogLine[] = [];
  return Object.assign(loggerInto(lines, {}), { lines });
}

function loggerInto(lines: LogLine[], bound: LogFields): Logger {
  const at = (level: LogLine["level"]) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => loggerInto(lines, { ...bound, ...fields }),
  };
}
