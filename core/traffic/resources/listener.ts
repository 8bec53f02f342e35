// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathNormalization } from "../../../kernel/canonical/path.ts";

/** A socket that a proxy listens on, with the route table for its requests. */
export interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /**
   * `outbound`: on the client's side of the call (edge and sidecar outbound). `inbound`: in front of the
   * service itself.
   */
  readonly direction: "inbound" | "outbound";
  readonly routeTable: string;
  /**
   * Whether the downstream is untrusted (an edge): then forwarding headers are accepted only from
   * `trustedHops` proxies in front, and `x-request-id` and Purser's own headers are replaced.
   */
  readonly edge: boolean;
  readonly trustedHops: number;
  readonly pathNormalization: PathNormalization;
  /** Not applied yet: every listener speaks HTTP/1.1. */
  readonly protocol?: "http1" | "http2";
  /** Not applied yet: every listener accepts plain text. */
  readonly tls?: DownstreamTls;
}

/** How a listener terminates TLS; the modes are those of Istio's Gateway. Not applied yet. */
export interface DownstreamTls {
  /**
   * `simple`: only the proxy has a certificate. `mutual`: clients need one too. `istio-mutual`: with workload
   * certificates.
   */
  readonly mode: "simple" | "mutual" | "istio-mutual";
  /** Name of the proxy's certificate. */
  readonly credentialName?: string;
}
