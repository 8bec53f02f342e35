// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, Random, Scheduler } from "../kernel/ports.ts";
import { createLogger, type LogFormat, type LogLevel } from "./logger.ts";
import { systemClock, systemRandom, systemScheduler } from "./platform.ts";

/** What every part is given. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export function createWorld({ logLevel, logFormat }: LogFlags): World {
  return {
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    logger: createLogger(logLevel, logFormat),
  };
}

/** The same world, its log lines marked with the part's name. */
export function worldOf(world: World, part: string): World {
  return { ...world, logger: world.logger.child({ part }) };
}
