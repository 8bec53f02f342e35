// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathNormalization } from "../../../kernel/canonical/path.ts";

/** A socket that a proxy listens on, and the route table for the requests that come there. */
export interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `outbound`: on the client's side of the call (edge and sidecar outbound). `inbound`: before the service itself. */
  readonly direction: "inbound" | "outbound";
  readonly routeTable: string;
  /**
   * Where the downstream is not trusted (an edge), forwarding headers are taken only from `trustedHops` proxies in
   * front, and `x-request-id` and Purser's own headers are made anew.
   */
  readonly edge: boolean;
  readonly trustedHops: number;
  readonly pathNormalization: PathNormalization;
  /** Not applied yet: every listener speaks HTTP/1.1. */
  readonly protocol?: "http1" | "http2";
  /** Not applied yet: every listener takes plain text. */
  readonly tls?: DownstreamTls;
}

/** How a listener ends TLS; the modes are those of Istio's Gateway. Not applied yet. */
export interface DownstreamTls {
  /** `simple`: only the proxy shows a certificate. `mutual`: clients must show one. `istio-mutual`: with workload certificates. */
  readonly mode: "simple" | "mutual" | "istio-mutual";
  /** Which certificate the proxy shows, by the name it is supplied under. */
  readonly credentialName?: string;
}
