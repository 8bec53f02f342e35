// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { constants, createHash } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { TlsServices } from "../../contract/tls.ts";
import type { Material } from "../credentials/material.ts";
import type { MeshPeer } from "../peers/mesh-tls.ts";

/** The suites of TLS 1.3, in OpenSSL's order. */
const TLS_13_SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];

/** Results of the handshakes that a server has begun. */
export interface HandshakeEvents {
  /** Every connection that the server's mode accepts. `peer`: the client, when it is a proxy of the mesh. */
  onSecure(socket: TLSSocket, server: SecureServer, peer: MeshPeer | undefined): void;
  onFailure(error: NodeJS.ErrnoException, socket: TLSSocket): void;
}

/** A certificate of files, which is released with the server, or the workload's own. */
interface HeldMaterial {
  readonly credential: { readonly material: Material | undefined; readonly version: number };
  release(): void;
}

const NO_CREDENTIAL = { material: undefined, version: 0 };

/** One server of a listener, with its certificate. */
export class SecureServer {
  readonly config: TlsServer;
  readonly #held: HeldMaterial;
  readonly #services: TlsServices;
  readonly #alpnProtocols: readonly string[];
  readonly #events: HandshakeEvents;
  /** Node's server, which listens nowhere: it makes secure sockets of the connections that it is given. */
  #server: Server | undefined;
  #version = 0;
  #ticketKey: Buffer | undefined;

  /** @param alpnProtocols In order of preference; empty to leave the choice of protocol to the bytes within TLS. */
  constructor(
    config: TlsServer,
    services: TlsServices,
    alpnProtocols: readonly string[],
    events: HandshakeEvents,
  ) {
    this.config = config;
    this.#services = services;
    this.#alpnProtocols = alpnProtocols;
    this.#events = events;
    this.#held =
      config.peers === undefined
        ? services.credentials.hold(config.credential)
        : { credential: services.mesh?.credential ?? NO_CREDENTIAL, release: () => {} };
  }

  close(): void {
    this.#held.release();
  }

  /** Begins a handshake with the newest certificate. Returns false when no certificate could be read yet. */
  begin(socket: Socket): boolean {
    return this.#newest()?.emit("connection", socket) === true;
  }

  /** A server costs about a millisecond, so it is made when the files or the key of tickets have changed. */
  #newest(): Server | undefined {
    const { material, version } = this.#held.credential;
    if (material === undefined) return undefined;
    const ticketKeys = this.#services.tickets.current();
    if (this.#version === version && this.#ticketKey === ticketKeys) return this.#server;
    const { mode } = this.config;
    const server = createServer({
      ...optionsOf(this.config, material),
      ticketKeys,
      ...(this.#alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...this.#alpnProtocols] }),
      requestCert: mode !== "simple",
      rejectUnauthorized: mode === "mutual",
    });
    server.on("secureConnection", (socket) => this.#onSecure(socket));
    server.on("tlsClientError", (error, socket) => this.#events.onFailure(error, socket));
    this.#server = server;
    this.#version = version;
    this.#ticketKey = ticketKeys;
    return server;
  }

  #onSecure(socket: TLSSocket): void {
    const { mode, peers } = this.config;
    const { mesh } = this.#services;
    if (peers !== undefined && mesh !== undefined) {
      const peer = mesh.peerOf(socket.getPeerX509Certificate(), peers, []);
      if (typeof peer === "string") return this.#refuse(socket, peer);
      mesh.admit(socket, peer);
      return this.#events.onSecure(socket, this, peer);
    }
    const isAccepted =
      mode === "simple" ||
      (socket.getPeerX509Certificate() === undefined ? mode === "optional-mutual" : socket.authorized);
    if (isAccepted) this.#events.onSecure(socket, this, undefined);
    else this.#refuse(socket, "the client's certificate is not valid");
  }

  #refuse(socket: TLSSocket, reason: string): void {
    socket.on("error", () => {});
    this.#events.onFailure(Object.assign(new Error(reason), { code: REFUSED_PEER }), socket);
    socket.destroy();
  }
}

/** The code of the error that tells of a client whose certificate was refused after the handshake. */
const REFUSED_PEER = "PEER_REFUSED";

function optionsOf(config: TlsServer, { certificate, privateKey, authorities }: Material) {
  const { minVersion, maxVersion, cipherSuites } = config;
  return {
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
    ...(authorities === undefined ? {} : { ca: authorities }),
    minVersion,
    maxVersion,
    // Node takes the suites of both versions in one list, and turns TLS 1.3 off when it has none of that version.
    ciphers: [...(maxVersion === "TLSv1.3" ? TLS_13_SUITES : []), ...cipherSuites].join(":"),
    honorCipherOrder: true,
    // A client that renegotiates makes the server work again, on a connection that was accepted once (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: sessionIdContextOf(config, authorities),
  };
}

/**
 * Names the servers between which a session may be resumed. A resumed session brings the client's certificate, or its
 * absence, from the handshake that began it: that must have been with the same server, mode and authorities.
 */
function sessionIdContextOf({ name, mode, peers }: TlsServer, authorities: string | undefined): string {
  const text = JSON.stringify([name, mode, authorities, peers]);
  // OpenSSL takes 32 bytes.
  return createHash("sha256").update(text).digest("base64").slice(0, 32);
}
