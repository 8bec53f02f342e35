// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GoCommand } from "../machine/go-command.ts";

/** Envoy's rate limit service; its releases have no tags, so this is the version of a commit. */
export const RATELIMIT: GoCommand = {
  name: "service_cmd",
  module: "github.com/envoyproxy/ratelimit/src/service_cmd",
  version: "v1.4.1-0.20260122083618-3fb702589d36",
};

export interface RateLimitSettings {
  /** Port of `POST /json`. */
  readonly port: number;
  readonly grpcPort: number;
  readonly debugPort: number;
  /** The service's own folder, which exists. */
  readonly folder: string;
  /** Text of each configuration; each has a domain of its own. */
  readonly configs: readonly string[];
  /** `host:port`. */
  readonly redisAddress: string;
  /** Whether a refused request uses no count of its other limits (STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT). */
  readonly countsAllOrNone: boolean;
}

/** Writes the configurations into the folder, and returns the environment variables of the service on the loopback address. */
export function rateLimitEnvironment(settings: RateLimitSettings): Readonly<Record<string, string>> {
  const { port, grpcPort, debugPort, folder, configs, redisAddress, countsAllOrNone } = settings;
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
    REDIS_URL: redisAddress,
    CACHE_KEY_PREFIX: countsAllOrNone ? "all-or-none." : "each.",
    STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT: `${countsAllOrNone}`,
    USE_STATSD: "false",
    LOG_LEVEL: "error",
  };
}
