// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ActiveHealth } from "../../core/traffic/health/active-health.ts";
import type { OutlierMonitor } from "../../core/traffic/health/outlier-monitor.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type {
  ClientSettings,
  ClientStream,
  ClientStreamReceiver,
  TransportClient,
} from "../transport/contract/client.ts";
import type { RequestHead } from "../transport/contract/head.ts";
import type { ResetReason } from "../transport/contract/reset.ts";
import type { ClusterLoad } from "./cluster.ts";

/** One endpoint with its connections and counts. It lives as long as any active configuration has it. */
export class Upstream {
  readonly endpoint: Endpoint;
  /** The settings of the connections. */
  readonly settings: ClientSettings;
  readonly #client: TransportClient;
  readonly #load: ClusterLoad;
  /** Number of requests under way. */
  active = 0;
  requestsTotal = 0;
  connectFailuresTotal = 0;
  /**
   * Whether requests should go to the endpoint: it passes its checks and is not ejected. See ClusterHealth. After a
   * change, `EndpointSet.rebalance` must follow.
   */
  healthy = true;
  /** The outcomes of active checks; undefined without any. */
  checks: ActiveHealth | undefined = undefined;
  /** Counts failures for outlier detection; undefined without it. */
  monitor: OutlierMonitor<Upstream> | undefined = undefined;
  /** Monotonic time at which the slow start of the endpoint began. */
  readySinceMs: number;

  /**
   * @param load Counts the requests that could not wait for a connection.
   * @param nowMs Monotonic time.
   */
  constructor(
    endpoint: Endpoint,
    settings: ClientSettings,
    client: TransportClient,
    load: ClusterLoad,
    nowMs: number,
  ) {
    this.endpoint = endpoint;
    this.readySinceMs = nowMs;
    this.settings = settings;
    this.#client = client;
    this.#load = load;
  }

  /** Sends a request; see TransportClient.open. `closed` must be called when its stream is over. */
  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    this.active++;
    this.requestsTotal++;
    return this.#client.open(head, receiver, body);
  }

  /** @param reason Reason for which the stream was reset, if it was. */
  closed(reason?: ResetReason): void {
    this.active--;
    if (reason === "connection-failure") this.connectFailuresTotal++;
    else if (reason === "overflow") this.#load.overflowsTotal++;
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    return this.#client.stats;
  }

  /** Lets requests under way finish, then closes the connections. */
  close(): Promise<void> {
    return this.#client.close();
  }

  /** Cuts every connection at once. */
  destroy(): Promise<void> {
    return this.#client.destroy();
  }
}
