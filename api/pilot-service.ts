// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KnownVersions, TrafficUpdate } from "../core/traffic/resources/resource-set.ts";

/** What a proxy asks of pilot, whether pilot is in the same process or behind HTTP (api/json/discovery.ts). */
export interface PilotService {
  /**
   * Calls `listener` with the sets of the watched types whose version is another than the known one: now, if there are any, and
   * after each change, until stopped. A remote one reconnects by itself.
   *
   * @throws {PurserError} PURSER_OVERLOADED when there are too many watchers.
   */
  watch(subscription: Subscription, listener: (update: TrafficUpdate) => void): () => void;
}

export interface Subscription {
  readonly node: ProxyNode;
  /** Its types are those that are watched. */
  readonly known: KnownVersions;
}

/** Who asks. An edge gets Gateways; a sidecar gets the mesh's services outbound and its own inbound. */
export type ProxyNode =
  | {
      readonly role: "edge";
      readonly id: string;
      readonly host: string;
      /** Where to listen when no Gateway names a port; such a listener routes by Host to every mesh service. */
      readonly port: number;
      readonly trustedHops: number;
    }
  | {
      readonly role: "sidecar";
      readonly id: string;
      /** Where the inbound listener is bound. The outbound one is on loopback: it serves its own workload and no other. */
      readonly host: string;
      /** The service whose sidecar this is: a ServiceEntry's host or short name. */
      readonly service: string;
      readonly outboundPort: number;
      /** Absent: no inbound listener. */
      readonly inbound?: { readonly port: number; readonly appHost: string; readonly appPort: number };
    };
