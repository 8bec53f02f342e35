// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { type GoCommand, goProgram } from "./go-program.ts";
import { type Receiver, startReceiver } from "./receivers.ts";
import type { RedisServer } from "./redis-server.ts";

/** Envoy's rate limit service; its releases have no tags, so this is the version of a commit. */
const RATELIMIT: GoCommand = {
  name: "service_cmd",
  module: "github.com/envoyproxy/ratelimit/src/service_cmd",
  version: "v1.4.1-0.20260122083618-3fb702589d36",
};

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
    env: (port, folder) => {
      const root = join(folder, "runtime", "config");
      mkdirSync(root, { recursive: true });
      for (const [index, text] of configs.entries()) writeFileSync(join(root, `c${index}.yaml`), text);
      return {
        HOST: "127.0.0.1",
        PORT: `${port}`,
        GRPC_HOST: "127.0.0.1",
        GRPC_PORT: `${grpcPort}`,
        DEBUG_HOST: "127.0.0.1",
        DEBUG_PORT: `${debugPort}`,
        RUNTIME_ROOT: folder,
        RUNTIME_SUBDIRECTORY: "runtime",
        RUNTIME_WATCH_ROOT: "false",
        REDIS_SOCKET_TYPE: "tcp",
        REDIS_URL: `${redis.host}:${redis.port}`,
        CACHE_KEY_PREFIX: countsAllOrNone ? "all-or-none." : "each.",
        STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: `${countsAllOrNone}`,
        USE_STATSD: "false",
        LOG_LEVEL: "error",
      };
    },
  });
}
