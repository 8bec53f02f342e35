// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PilotService, ProxyNode } from "../../api/pilot.ts";
import { encodeProxyConfigQuery } from "../../api/pilot-http.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import type { ProxyConfig } from "../../core/traffic/resources/resource-set.ts";
import { JsonClient } from "../control-plane/json-client.ts";
import { startLongPoll } from "../control-plane/long-poll.ts";

export interface HttpPilotOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** How long pilot may hold a poll, in milliseconds; default 25 000. */
  readonly pollMs?: number;
}

export interface HttpPilotService extends PilotService {
  /** Ends the watches. Safe to call twice. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 1_000;
/** A mesh of some thousand services. */
const CONFIG_LIMIT_BYTES = 64 << 20;
/** A held poll may be answered so late: a large configuration takes its time. */
const POLL_GRACE_MS = 10_000;

/** Pilot behind HTTP. What it said last is the proxy's to keep while it is away. */
export function createHttpPilotService(options: HttpPilotOptions): HttpPilotService {
  const { url, pollMs: waitMs = 25_000 } = options;
  const server = new JsonClient({
    url,
    scheduler: options.scheduler,
    unavailable: "PURSER_PILOT_UNAVAILABLE",
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connections: 1,
    replyLimitBytes: CONFIG_LIMIT_BYTES,
  });
  const watches = new Set<() => void>();
  return {
    watch(node: ProxyNode, listener: (config: ProxyConfig) => void) {
      const stop = startLongPoll<ProxyConfig>({
        ...options,
        servers: [server],
        path: (known) =>
          encodeProxyConfigQuery({
            node,
            waitMs,
            ...(known === undefined ? {} : { version: known.version }),
          }),
        decode: decodeProxyConfig,
        onNews: listener,
        waitMs,
        graceMs: POLL_GRACE_MS,
      });
      watches.add(stop);
      return () => {
        watches.delete(stop);
        stop();
      };
    },
    async close() {
      for (const stop of watches) stop();
      watches.clear();
      await server.close();
    },
  };
}

/** Only the outline: the proxy refuses a configuration that it cannot build, and goes on with the one it has. */
function decodeProxyConfig(body: unknown): ProxyConfig {
  const { version, listeners, routeTables, clusters } = (body ?? {}) as Partial<ProxyConfig>;
  if (typeof version === "string" && [listeners, routeTables, clusters].every((part) => Array.isArray(part)))
    return body as ProxyConfig;
  throw new PurserError("PURSER_PILOT_UNAVAILABLE", "pilot's answer is no proxy configuration");
}
