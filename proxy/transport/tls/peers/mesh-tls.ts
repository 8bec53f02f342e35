// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import { type PeerIdentity, peerIdentityOf } from "../../../../core/identity/peer-identity.ts";
import type { MeshPeers } from "../../../../core/traffic/resources/tls.ts";
import type { Clock } from "../../../../kernel/ports.ts";
import type { PeerCertificate } from "../../contract/connection.ts";
import type { WorkloadCredential } from "../credentials/workload-credential.ts";
import { keyUsageOf } from "./key-usage.ts";
import { peerCertificateOf } from "./peer-certificate.ts";

/** A peer that was accepted: its certificate, and the identity in it. */
export interface MeshPeer {
  readonly certificate: PeerCertificate;
  readonly identity: PeerIdentity;
}

/**
 * Mutual TLS with other proxies of the mesh, as a server and as a client: the proxy's own certificate, the check of peers
 * whose chain OpenSSL has verified, and the open connections, which end when their peer is revoked.
 */
export class MeshTls {
  readonly credential: WorkloadCredential;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #peers = new Map<TLSSocket, PeerCertificate>();
  readonly #stopWatching: () => void;
  /** Number of connections that were closed because their peer was revoked. */
  revokedTotal = 0;

  constructor(credential: WorkloadCredential, clock: Pick<Clock, "nowMs">) {
    this.credential = credential;
    this.#clock = clock;
    this.#stopWatching = credential.watch(() => this.#closeRevoked());
  }

  /** Number of open connections with peers. */
  get openCount(): number {
    return this.#peers.size;
  }

  /**
   * The peer of a certificate whose chain was verified; or the reason for which it is refused. Every handshake needs the
   * check, those that resume a session too.
   *
   * @param identities SPIFFE ids of which the peer must have one; empty for any in the trust domains.
   */
  peerOf(
    certificate: X509Certificate | undefined,
    { trustDomains }: MeshPeers,
    identities: readonly string[],
  ): MeshPeer | string {
    if (certificate === undefined) return "the peer showed no certificate";
    const peer = peerCertificateOf(certificate);
    const facts = {
      uris: peer.uris,
      isAuthority: certificate.ca,
      keyUsage: keyUsageOf(certificate.raw),
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
    };
    const identity = peerIdentityOf(facts, trustDomains, this.#clock.nowMs());
    if (typeof identity === "string") return identity;
    if (identities.length > 0 && !identities.includes(peer.uris[0] ?? ""))
      return `the peer is ${peer.uris[0]}, not ${identities.join(" or ")}`;
    if (this.credential.isRevoked(peer)) return `the peer ${peer.uris[0]} is revoked`;
    return { certificate: peer, identity };
  }

  /** Closes the connection when its peer is revoked, until the connection is closed. */
  admit(socket: TLSSocket, { certificate }: MeshPeer): void {
    this.#peers.set(socket, certificate);
    socket.once("close", () => this.#peers.delete(socket));
  }

  /** Ends the watch of revocations. */
  close(): void {
    this.#stopWatching();
  }

  #closeRevoked(): void {
    for (const [socket, peer] of this.#peers) {
      if (!this.credential.isRevoked(peer)) continue;
      this.#peers.delete(socket);
      this.revokedTotal++;
      socket.destroy();
    }
  }
}
