// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { freePort } from "../../bench/machine/free-port.ts";
import { RATELIMIT, rateLimitEnvironment } from "../../bench/quota/ratelimit.ts";
import { goProgram } from "./go-program.ts";
import { type Receiver, startReceiver } from "./receivers.ts";
import type { RedisServer } from "./redis-server.ts";

export interface RateLimitServerOptions {
  /** Text of each configuration; each has a domain of its own. */
  readonly configs: readonly string[];
  readonly redis: RedisServer;
  /** Whether a refused request uses no count of its other limits (STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT). */
  readonly countsAllOrNone: boolean;
}

/** Path of the service, built once. Call it from a `before` hook with mocha's `this`. */
export function rateLimitProgram(context: Mocha.Context): Promise<string> {
  return goProgram(context, RATELIMIT);
}

/** Starts the service on a free port, with its counts in `redis`. */
export async function startRateLimit(program: string, options: RateLimitServerOptions): Promise<Receiver> {
  const { configs, redis, countsAllOrNone } = options;
  const [grpcPort, debugPort] = [await freePort(), await freePort()];
  return startReceiver({
    name: "ratelimit",
    program,
    args: () => [],
    readyPath: "/healthcheck",
    startDeadlineMs: 20_000,
    env: (port, folder) =>
      rateLimitEnvironment({
        port,
        grpcPort,
        debugPort,
        folder,
        configs,
        redisAddress: `${redis.host}:${redis.port}`,
        countsAllOrNone,
      }),
  });
}
