// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type OnReadOpts, type Socket } from "node:net";

import type { ClientSettings } from "../contract/client.ts";
import type { ProxiedEnds } from "../contract/connection.ts";
import { writeProxyHeader } from "../proxy-protocol/write-header.ts";
import type { TlsConnector } from "../tls/client/tls-connector.ts";

interface ReadOptions {
  readonly allowHalfOpen?: boolean;
  readonly onread?: OnReadOpts;
}

type SocketSettings = Pick<
  ClientSettings,
  "host" | "port" | "tcpKeepaliveTimeMs" | "proxyProtocol" | "proxiedEnds"
>;

/**
 * Begins a connection to an upstream, with the header of the PROXY protocol where the settings ask for one. The socket
 * emits `connect`, or `secureConnect` with TLS, when it can be used.
 *
 * @param connector Opens connections with TLS; undefined for plain text.
 * @param ends The client's ends, in place of those of the settings.
 */
export function openSocket(
  settings: SocketSettings,
  connector: TlsConnector | undefined,
  options: ReadOptions,
  ends: ProxiedEnds | undefined = settings.proxiedEnds,
): Socket {
  const { host, port, tcpKeepaliveTimeMs, proxyProtocol } = settings;
  const preamble = proxyProtocol === undefined ? undefined : writeProxyHeader(proxyProtocol, ends);
  if (connector !== undefined)
    return connector.connect({ host, port, ...options, preamble }, tcpKeepaliveTimeMs);
  const socket = connect({
    host,
    port,
    ...options,
    noDelay: true,
    keepAlive: tcpKeepaliveTimeMs > 0,
    keepAliveInitialDelay: tcpKeepaliveTimeMs,
  });
  // Node sends it when the connection is made, before any other byte.
  if (preamble !== undefined) socket.write(preamble);
  return socket;
}
