// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel } from "../../kernel/ports.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { DialEvents } from "../transport/contract/raw.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";

/** A connection to an endpoint, from its first packet on. It takes up one of the endpoint's connections until `leave`. */
export class UpstreamDial {
  readonly endpoint: ClusterEndpoint;
  readonly #cancel: Cancel;
  #hasLeft = false;

  private constructor(endpoint: ClusterEndpoint, facts: ConnectionFacts, events: DialEvents) {
    this.endpoint = endpoint;
    const { upstream } = endpoint;
    this.#cancel = upstream.connectRaw(facts, {
      onConnected: (socket) => {
        upstream.monitor?.onResponse(200);
        events.onConnected(socket);
      },
      onFailed: (detail) => {
        this.#countFailure(503);
        events.onFailed(detail);
      },
    });
  }

  /** Returns undefined when the endpoint has `maxConnections` already. */
  static begin(
    endpoint: ClusterEndpoint,
    cluster: Cluster,
    facts: ConnectionFacts,
    events: DialEvents,
  ): UpstreamDial | undefined {
    if (endpoint.upstream.enterRaw()) return new UpstreamDial(endpoint, facts, events);
    cluster.load.overflowsTotal++;
    return undefined;
  }

  /** The connection took too long: an endpoint's fault. */
  timedOut(): void {
    this.#countFailure(504);
  }

  /** Gives up the attempt, so that no event follows, or closes the connection. */
  cancel(): void {
    this.#cancel();
  }

  /** Idempotent. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.endpoint.upstream.leaveRaw();
  }

  #countFailure(status: 503 | 504): void {
    const { upstream } = this.endpoint;
    upstream.connectFailuresTotal++;
    upstream.monitor?.onLocalOriginFailure(status);
  }
}
