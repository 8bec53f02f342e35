// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeerCertificate } from "../../contract/connection.ts";
import type { Material } from "./material.ts";

/**
 * The proxy's own identity: certificate, key and trust bundle, renewed while the proxy runs. Mutual TLS between sidecars
 * uses the same credential as a server and as a client.
 */
export interface WorkloadCredential {
  /** Name for logs and metrics. */
  readonly name: string;
  /** Grows with each new `material`. */
  readonly version: number;
  /** The certificate chain, its key, and in `authorities` the trust bundle; undefined before the first. */
  readonly material: Material | undefined;
  /** Reason that there is no newer material; undefined when all is well. */
  readonly fault: string | undefined;
  /** The certificate's SPIFFE id, such as `spiffe://cluster.local/ns/shop/sa/cart`; undefined before the first material. */
  readonly spiffeId: string | undefined;
  /** Whether a peer's certificate is revoked, by its serial number or its SPIFFE id. */
  isRevoked(peer: PeerCertificate): boolean;
  /**
   * Calls `onChange` after each new material and each new revocation.
   *
   * @returns Ends the watch.
   */
  watch(onChange: () => void): () => void;
}
