// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeerIdentity } from "../../../core/identity/peer-identity.ts";

/** Facts about the connection of a stream, as its listener saw them. */
export interface ConnectionFacts {
  /** Unique in this process. */
  readonly id: string;
  /** Addresses in canonical form; empty when the connection was closed before they were read. */
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Undefined for a connection without TLS. */
  readonly tls: TlsFacts | undefined;
}

/** The two ends of a client's connection. */
export type ProxiedEnds = Pick<ConnectionFacts, "remoteIp" | "remotePort" | "localIp" | "localPort">;

export interface TlsFacts {
  /** The server name (SNI) that the client asked for. */
  readonly serverName: string | undefined;
  /** The negotiated application protocol (ALPN), such as `h2`. */
  readonly alpn: string | undefined;
  /** The client's verified certificate; undefined when it presented none. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The client's identity, when it is a proxy of the mesh that was accepted by mutual TLS. */
  readonly peer?: PeerIdentity | undefined;
  /** Name of the route table of the server that accepted the connection. */
  readonly routeTable: string;
}

export interface PeerCertificate {
  readonly der: Uint8Array;
  /** URIs among the subject alternative names, such as a SPIFFE identity. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** The distinguished name, in the form of RFC 4514. */
  readonly subject: string;
  /** End of the validity period, in milliseconds since the Unix epoch; Infinity when it cannot be read. */
  readonly notAfterEpochMs: number;
}
