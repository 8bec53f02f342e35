// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KnownVersions, TrafficUpdate } from "../core/traffic/resources/resource-set.ts";

/** A proxy's interface to pilot, in the same process or over HTTP (api/json/discovery.ts). */
export interface PilotService {
  /**
   * Calls `listener` with the sets of watched types whose version differs from the known one: at once, if
   * there are any, and after each change, until stopped. A remote implementation reconnects by itself.
   *
   * @throws {PurserError} PURSER_OVERLOADED when there are too many watchers.
   */
  watch(subscription: Subscription, listener: (update: TrafficUpdate) => void): () => void;
}

export interface Subscription {
  readonly node: ProxyNode;
  /** The watched types are the keys. */
  readonly known: KnownVersions;
}

/**
 * The proxy that watches. An edge gets Gateways; a sidecar gets the mesh's services outbound and its own
 * inbound.
 */
export type ProxyNode =
  | {
      readonly role: "edge";
      readonly id: string;
      readonly host: string;
      /**
       * Port to listen on when no Gateway names one; such a listener routes by Host to every mesh service.
       */
      readonly port: number;
      readonly trustedHops: number;
      /** As for a sidecar. */
      readonly locality?: string;
      /** The proxy's namespace, for `exportTo`. Default `default`. */
      readonly namespace?: string;
      /** As for a sidecar. */
      readonly mtls?: boolean;
      /** The proxy's labels, for the selectors of Gateways, besides `istio: ingressgateway`, which they may replace. */
      readonly labels?: Readonly<Record<string, string>>;
    }
  | {
      readonly role: "sidecar";
      readonly id: string;
      /**
       * Address of the inbound listener. The outbound listener is on loopback: it serves only its own
       * workload.
       */
      readonly host: string;
      /** The service whose sidecar this is: a ServiceEntry's host or short name. */
      readonly service: string;
      /**
       * The proxy's namespace, for `exportTo` and for the short names of services. Default: the service's
       * namespace.
       */
      readonly namespace?: string;
      /** The workload's labels, for the workloadSelector of a Sidecar or DestinationRule. Default: none. */
      readonly labels?: Readonly<Record<string, string>>;
      readonly outboundPort: number;
      /** Absent: no inbound listener. */
      readonly inbound?: { readonly port: number; readonly appHost: string; readonly appPort: number };
      /**
       * Place of the proxy: `region/zone/subzone`, later parts optional. Absent: unknown, and localities of
       * endpoints are not compared with it.
       */
      readonly locality?: string;
      /** Whether the proxy has a workload's certificate, without which it speaks no mutual TLS. Default: false. */
      readonly mtls?: boolean;
    };
