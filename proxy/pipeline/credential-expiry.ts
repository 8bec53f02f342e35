// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { CredentialExpiry } from "./stream-expiries.ts";

/**
 * Whether streams end when the connection's certificate expires. Proxies of the mesh renew theirs every few hours and keep
 * their connections, as Envoy does; a revoked workload's connections are closed.
 */
export function hasExpiringCertificate({ tls }: ConnectionFacts): boolean {
  return tls?.peerCertificate !== undefined && tls.peer === undefined;
}

/**
 * The first expiry among the client's certificate and token; undefined when neither expires.
 *
 * @param tokenEpochMs End of the token, in milliseconds since the Unix epoch; default: no token.
 */
export function credentialExpiryOf(
  connection: ConnectionFacts,
  tokenEpochMs = Infinity,
): CredentialExpiry | undefined {
  const certificateEpochMs = hasExpiringCertificate(connection)
    ? (connection.tls?.peerCertificate?.notAfterEpochMs ?? Infinity)
    : Infinity;
  const atEpochMs = Math.min(certificateEpochMs, tokenEpochMs);
  if (atEpochMs === Infinity || Number.isNaN(atEpochMs)) return undefined;
  return { credential: atEpochMs === certificateEpochMs ? "certificate" : "token", atEpochMs };
}
