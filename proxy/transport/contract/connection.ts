// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The facts of a connection that a stream came on, as its listener saw them. */
export interface ConnectionFacts {
  /** Unique in this process. */
  readonly id: string;
  /** Addresses in their canonical form; empty when the connection was gone before it could be asked. */
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  /** Undefined for a connection without TLS. */
  readonly tls: TlsFacts | undefined;
}

export interface TlsFacts {
  /** The server name (SNI) that the client asked for. */
  readonly serverName: string | undefined;
  /** The application protocol that both sides agreed on (ALPN), such as `h2`. */
  readonly alpn: string | undefined;
  /** The client's certificate, verified; undefined when it showed none. */
  readonly peerCertificate: PeerCertificate | undefined;
}

export interface PeerCertificate {
  readonly der: Uint8Array;
  /** URIs among the subject's alternative names: a SPIFFE identity, for instance. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** The distinguished name in the form of RFC 4514. */
  readonly subject: string;
}
