// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CredentialStore } from "../tls/credentials/credential-store.ts";
import type { MeshTls } from "../tls/peers/mesh-tls.ts";
import type { TicketKeys } from "../tls/ticket-keys.ts";

/** Services for TLS that all listeners and upstreams of a proxy share. */
export interface TlsServices {
  readonly credentials: CredentialStore;
  readonly tickets: TicketKeys;
  /** Mutual TLS with other proxies; undefined for a proxy without a workload's certificate. */
  readonly mesh?: MeshTls | undefined;
}

/** Results of TLS handshakes with clients, as they are counted. */
export type HandshakeResult =
  | "full"
  /** By a session of an earlier connection. */
  | "resumed"
  /** The ClientHello was read and the connection is forwarded as it is. */
  | "passthrough"
  /** The handshake did not end in time. */
  | "timeout"
  /** Too many handshakes were under way. */
  | "overflow"
  /** The bytes are not a ClientHello. */
  | "not_tls"
  /** No server of the listener has the server name. */
  | "unknown_server_name"
  /** The server's certificate could not be read yet. */
  | "no_certificate"
  | "client_certificate_missing"
  | "client_certificate_invalid"
  | "unsupported_version"
  | "no_shared_cipher"
  | "no_shared_protocol"
  /** The client sent an alert: it does not accept the server's certificate, for example. */
  | "client_alert"
  /** The client closed the connection. */
  | "closed"
  | "error";
