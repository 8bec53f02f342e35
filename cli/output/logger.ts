// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { pino, type Logger as PinoLogger } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Logger } from "../../kernel/ports.ts";
import type { LogFormat, LogLevel } from "./log-levels.ts";
import { createLogOutput } from "./log-output.ts";

/**
 * Logs to standard error, so that standard output has only a command's results: JSON lines, or one line of
 * text each (`auto`: text on a terminal). Lines that nobody reads are dropped and counted; see log-output.ts.
 */
export function createLogger(level: LogLevel, format: LogFormat): Logger {
  const readable = format === "text" || (format === "auto" && process.stderr.isTTY);
  const write = createLogOutput(process.stderr, (lines) =>
    logger.warn("log lines were dropped: standard error was not read", { lines }),
  );
  const line = readable
    ? prettyFactory({
        colorize: process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
        translateTime: "HH:MM:ss.l",
        singleLine: true,
      })
    : undefined;
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const logger = adapt(
    pino(options, { write: (text: string) => write(line === undefined ? text : line(text)) }),
  );
  return logger;
}

function adapt(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => adapt(logger.child(fields)),
  };
}
