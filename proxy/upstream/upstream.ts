// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ActiveHealth } from "../../core/traffic/health/active-health.ts";
import type { OutlierMonitor } from "../../core/traffic/health/outlier-monitor.ts";
import type { Cancel } from "../../kernel/ports.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type {
  ClientSettings,
  ClientStream,
  ClientStreamReceiver,
  TransportClient,
} from "../transport/contract/client.ts";
import type { ProxiedEnds } from "../transport/contract/connection.ts";
import type { RequestHead } from "../transport/contract/head.ts";
import type { DialEvents, RawDialer } from "../transport/contract/raw.ts";
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
  /** Number of forwarded TCP connections, open or being opened. */
  rawConnections = 0;
  readonly #createDialer: () => RawDialer;
  #dialer: RawDialer | undefined;
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
   * @param createDialer Called at the first connection for bytes alone.
   * @param load Counts the requests that could not wait for a connection.
   * @param nowMs Monotonic time.
   */
  constructor(
    endpoint: Endpoint,
    settings: ClientSettings,
    client: TransportClient,
    createDialer: () => RawDialer,
    load: ClusterLoad,
    nowMs: number,
  ) {
    this.endpoint = endpoint;
    this.readySinceMs = nowMs;
    this.settings = settings;
    this.#client = client;
    this.#createDialer = createDialer;
    this.#load = load;
  }

  /**
   * Returns false when `maxConnections` forwarded connections are open already; after true, `leaveRaw()` must follow. A
   * forwarded connection counts as a request, so that balancing sees it.
   */
  enterRaw(): boolean {
    if (this.rawConnections >= this.settings.maxConnections) return false;
    this.rawConnections++;
    this.active++;
    this.requestsTotal++;
    return true;
  }

  leaveRaw(): void {
    this.rawConnections--;
    this.active--;
  }

  /** Begins a connection for bytes alone; see RawDialer. */
  connectRaw(ends: ProxiedEnds, events: DialEvents): Cancel {
    this.#dialer ??= this.#createDialer();
    return this.#dialer.dial(ends, events);
  }

  /**
   * Sends a request; see TransportClient.open. `closed` must be called when its stream is over.
   *
   * @param ends The ends of the client's connection; absent for a request of the proxy's own.
   */
  open(
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body?: Uint8Array,
    ends?: ProxiedEnds,
  ): ClientStream {
    this.active++;
    this.requestsTotal++;
    return this.#client.open(head, receiver, body, ends);
  }

  /** @param reason Reason for which the stream was reset, if it was. */
  closed(stream: ClientStream, reason?: ResetReason): void {
    this.active--;
    this.#client.closed?.(stream);
    if (reason === "connection-failure") this.connectFailuresTotal++;
    else if (reason === "overflow") this.#load.overflowsTotal++;
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    return this.#client.stats;
  }

  /** Lets requests under way finish, then closes the connections. */
  close(): Promise<void> {
    this.#dialer?.close();
    return this.#client.close();
  }

  /** Cuts every connection at once. */
  destroy(): Promise<void> {
    this.#dialer?.close();
    return this.#client.destroy();
  }
}
