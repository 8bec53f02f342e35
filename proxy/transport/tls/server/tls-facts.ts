// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { PeerCertificate, TlsFacts } from "../../contract/connection.ts";
import { subjectAltNamesOf } from "../subject-alt-names.ts";

/** The facts of a connection whose handshake is over. */
export function tlsFactsOf(
  socket: TLSSocket,
  { routeTable, mode }: TlsServer,
  serverName: string | undefined,
): TlsFacts {
  const certificate = mode === "simple" ? undefined : socket.getPeerX509Certificate();
  const { alpnProtocol } = socket;
  return {
    serverName,
    alpn: typeof alpnProtocol === "string" && alpnProtocol !== "" ? alpnProtocol : undefined,
    peerCertificate: certificate === undefined ? undefined : peerCertificateOf(certificate),
    routeTable,
  };
}

function peerCertificateOf(certificate: X509Certificate): PeerCertificate {
  const { raw: der, subject, validTo } = certificate;
  const notAfterEpochMs = Date.parse(validTo);
  const { uris, dnsNames } = subjectAltNamesOf(certificate);
  // Node writes each attribute on a line of its own, the most general first; RFC 4514 begins with the most specific.
  return {
    der,
    uris,
    dnsNames,
    subject: (subject ?? "").split("\n").toReversed().join(","),
    notAfterEpochMs: Number.isNaN(notAfterEpochMs) ? Infinity : notAfterEpochMs,
  };
}
