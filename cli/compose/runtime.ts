// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Runtime } from "../../kernel/ports.ts";
import type { LogFormat, LogLevel } from "../output/log-levels.ts";
import { createLogger } from "../output/logger.ts";
import { systemClock, systemRandom, systemScheduler } from "./platform.ts";

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export function createRuntime({ logLevel, logFormat }: LogFlags): Runtime {
  return {
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    logger: createLogger(logLevel, logFormat),
  };
}

/** The same runtime, with the part's name on its log lines. */
export function runtimeOfPart(runtime: Runtime, part: string): Runtime {
  return { ...runtime, logger: runtime.logger.child({ part }) };
}
