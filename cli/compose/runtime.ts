// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LogLevelSetting } from "../../kernel/log-level.ts";
import type { Runtime } from "../../kernel/ports.ts";
import type { LogFormat, LogLevel } from "../output/log-levels.ts";
import { createLogger } from "../output/logger.ts";
import { systemClock, systemRandom, systemScheduler } from "./platform.ts";

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** The ports of this process, and the level that its loggers share. */
export interface ProcessRuntime extends Runtime {
  readonly logLevel: LogLevelSetting;
}

export function createRuntime(flags: LogFlags): ProcessRuntime {
  const logLevel = new LogLevelSetting(flags.logLevel);
  return {
    logLevel,
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    logger: createLogger(logLevel, flags.logFormat),
  };
}

/** The same runtime, with the part's name on its log lines. */
export function runtimeOfPart(runtime: Runtime, part: string): Runtime {
  return { ...runtime, logger: runtime.logger.child({ part }) };
}
