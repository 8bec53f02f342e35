// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PilotService } from "../../api/pilot-service.ts";
import { decodeTrafficUpdate, encodeDiscoveryRequest } from "../../api/json/discovery.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { knownAfter, type TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { type ClientTls, JsonClient } from "../control-plane/json-client.ts";
import { startLongPoll } from "../control-plane/long-poll.ts";

export interface HttpPilotOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** The Authorization field of each call; absent for none. */
  readonly authorization?: (() => string) | undefined;
  /** Of https URLs; asked for each connection. */
  readonly tls?: (() => ClientTls) | undefined;
  /** Maximum time for which pilot may hold a poll, in milliseconds; default 25 000. */
  readonly pollMs?: number;
}

export interface HttpPilotService extends PilotService {
  /** Ends the watches. Idempotent. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 1_000;
/** Maximum size of a configuration: enough for a mesh of some thousand services. */
const CONFIG_LIMIT_BYTES = 64 << 20;
/** Time allowed for the reply to a held poll beyond `pollMs`: a large configuration takes long to send. */
const POLL_GRACE_MS = 10_000;

/** A pilot service over HTTP. While pilot is away, the proxy keeps the last configuration. */
export function createHttpPilotService(options: HttpPilotOptions): HttpPilotService {
  const { url, pollMs: waitMs = 25_000 } = options;
  const server = new JsonClient({
    url,
    scheduler: options.scheduler,
    unavailable: "PURSER_PILOT_UNAVAILABLE",
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connections: 1,
    replyLimitBytes: CONFIG_LIMIT_BYTES,
    authorization: options.authorization,
    tls: options.tls,
  });
  const watches = new Set<() => void>();
  return {
    watch(subscription, listener) {
      const { node } = subscription;
      let { known } = subscription;
      const stop = startLongPoll<TrafficUpdate>({
        ...options,
        servers: [server],
        path: () => encodeDiscoveryRequest({ node, known, waitMs }),
        decode: decodeTrafficUpdate,
        onNews: (update) => {
          known = knownAfter(known, update);
          listener(update);
        },
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
