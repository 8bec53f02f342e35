// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { pino, type Logger as PinoLogger } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Logger } from "../../kernel/ports.ts";
import type { LogLevelSetting } from "../../kernel/log-level.ts";
import type { LogFormat, LogLevel } from "./log-levels.ts";
import { createLogOutput } from "./log-output.ts";

/**
 * Logs to standard error, so that standard output has only a command's results: JSON lines, or one line of
 * text each (`auto`: text on a terminal). Lines that nobody reads are dropped and counted; see log-output.ts.
 *
 * @param setting The level of this logger and its children: pino's own levels are copied to children when they are made,
 *   so a change would not reach them.
 */
export function createLogger(setting: LogLevelSetting, format: LogFormat): Logger {
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
  const options = { level: "debug", base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const logger = adapt(
    pino(options, { write: (text: string) => write(line === undefined ? text : line(text)) }),
    setting,
  );
  return logger;
}

function adapt(logger: PinoLogger, setting: LogLevelSetting): Logger {
  const at =
    (level: LogLevel): Logger[LogLevel] =>
    (message, fields) => {
      if (setting.shows(level)) logger[level](fields ?? {}, message);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => adapt(logger.child(fields), setting),
  };
}
