// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TLSSocket } from "node:tls";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { TlsFacts } from "../../contract/connection.ts";
import type { MeshPeer } from "../peers/mesh-tls.ts";
import { peerCertificateOf } from "../peers/peer-certificate.ts";

/**
 * The facts of a connection whose handshake is over.
 *
 * @param peer The client, when it is a proxy of the mesh.
 */
export function tlsFactsOf(
  socket: TLSSocket,
  { routeTable, mode }: TlsServer,
  serverName: string | undefined,
  peer: MeshPeer | undefined,
): TlsFacts {
  const certificate = mode === "simple" || peer !== undefined ? undefined : socket.getPeerX509Certificate();
  const { alpnProtocol } = socket;
  return {
    serverName,
    alpn: typeof alpnProtocol === "string" && alpnProtocol !== "" ? alpnProtocol : undefined,
    peerCertificate: certificate === undefined ? peer?.certificate : peerCertificateOf(certificate),
    ...(peer === undefined ? {} : { peer: peer.identity }),
    routeTable,
  };
}
