// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** TLS versions that a proxy speaks. RFC 8996 forbids older ones. */
export const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/**
 * PEM files of a certificate, which a proxy reads on its own host. Paths are relative to the proxy's working folder, or,
 * with `credentialName`, to the folder of that name in the proxy's folder of credentials.
 */
export interface CredentialFiles {
  readonly credentialName?: string;
  /** The certificate with its intermediate certificates; present together with `privateKeyFile`. */
  readonly certificateFile?: string;
  readonly privateKeyFile?: string;
  /** Certificates of the authorities that sign the peers' certificates; default: those of the operating system. */
  readonly authoritiesFile?: string;
}

/** The peers of mutual TLS between proxies: each side shows its workload's certificate, and must have a SPIFFE id. */
export interface MeshPeers {
  /** The trust domain of the mesh and its aliases: the peer's SPIFFE id must be in one of them. */
  readonly trustDomains: readonly string[];
}

/** One server of a listener that terminates TLS: Envoy's filter chain. */
export interface TlsServer {
  /** Unique within the listener. */
  readonly name: string;
  /** Server names (SNI), in lower case: `shop.example.com`, `*.example.com`, or `*` for any name or none. */
  readonly serverNames: readonly string[];
  /** Routes of requests on the server's connections; with the protocol `tcp`, a table of the listener's `tcp`. */
  readonly routeTable: string;
  /** `tcp`: the bytes within TLS are forwarded as they are. Absent: they are HTTP. */
  readonly protocol?: "tcp";
  /**
   * `simple`: clients show no certificate. `mutual`: they must show a valid one. `optional-mutual`: they may show one,
   * which must be valid.
   */
  readonly mode: "simple" | "mutual" | "optional-mutual";
  readonly credential: CredentialFiles;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names of cipher suites of TLS 1.2, in order of preference; those of TLS 1.3 cannot be chosen. */
  readonly cipherSuites: readonly string[];
  /** Present: clients are proxies of the mesh, and the workload's own certificate takes the place of `credential`. */
  readonly peers?: MeshPeers;
}

/** How a proxy connects to a cluster's endpoints by TLS. */
export interface UpstreamTls {
  /** With a certificate, it is shown to servers that ask for one. */
  readonly credential: CredentialFiles;
  /** Server name indication (SNI), sent unless it is an IP address. */
  readonly serverName: string;
  /**
   * The server's certificate must have one of these subject alternative names (DNS, URI or IP address); `serverName` when
   * there are none.
   */
  readonly subjectAltNames: readonly string[];
  /** Whether any certificate is accepted. */
  readonly skipsVerification: boolean;
  /**
   * Present: the endpoint is a proxy of the mesh. The workload's own certificate takes the place of `credential`, and
   * `subjectAltNames` are SPIFFE ids, or empty for any id of the trust domains.
   */
  readonly peers?: MeshPeers;
}

/**
 * Cipher suites of TLS 1.2 that documents may choose, by OpenSSL's names: those of Envoy. The suites without forward
 * secrecy or without authenticated encryption are for old clients.
 */
export const CIPHER_SUITES = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-SHA",
  "AES256-SHA",
] as const;

/** Envoy's default for servers: the suites with forward secrecy and authenticated encryption. */
export const DEFAULT_CIPHER_SUITES: readonly string[] = CIPHER_SUITES.slice(0, 6);
