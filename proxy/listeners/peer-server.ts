// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../../core/traffic/resources/listener.ts";
import { DEFAULT_CIPHER_SUITES, type TlsServer } from "../../core/traffic/resources/tls.ts";

const NO_TLS: readonly TlsServer[] = [];

/** TLS of a listener's connections. */
export interface ListenerTls {
  readonly servers: readonly TlsServer[];
  /** Whether a connection may be plain text too, where there are servers. */
  readonly acceptsPlainText: boolean;
}

/** The servers of the listener's resource; for `peerTls`, one that accepts proxies of the mesh under any name. */
export function tlsOfListener({ tlsServers = NO_TLS, peerTls, routeTable, tcp }: Listener): ListenerTls {
  if (peerTls === undefined) return { servers: tlsServers, acceptsPlainText: false };
  const { mode, trustDomains } = peerTls;
  const server: TlsServer = {
    name: "peers",
    serverNames: ["*"],
    ...(tcp?.plainTable === undefined ? { routeTable } : { routeTable: tcp.plainTable, protocol: "tcp" }),
    mode: "mutual",
    credential: {},
    // Istio's minimum between its proxies.
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: DEFAULT_CIPHER_SUITES,
    peers: { trustDomains },
  };
  return { servers: [server], acceptsPlainText: mode === "permissive" };
}
