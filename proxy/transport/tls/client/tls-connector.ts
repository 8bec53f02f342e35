// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { connect as connectTcp, isIP, type OnReadOpts, Socket } from "node:net";
import {
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from "node:tls";

import type { UpstreamTls } from "../../../../core/traffic/resources/tls.ts";
import type { CredentialStore, HeldCredential } from "../credentials/credential-store.ts";
import type { Material } from "../credentials/material.ts";
import type { ClientSettings } from "../../contract/client.ts";
import type { MeshPeer, MeshTls } from "../peers/mesh-tls.ts";
import { hasSubjectAltName } from "../subject-alt-names.ts";
import { isAlert, type TlsFault, TlsFaultError, tlsFaultReason } from "./tls-fault.ts";

/** The endpoint, and options of its socket; Node's declarations leave two of them out for TLS. */
interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly allowHalfOpen?: boolean;
  readonly onread?: OnReadOpts;
  /** Bytes that are sent before the handshake. */
  readonly preamble?: Uint8Array | undefined;
}

/** A session, and for a proxy of the mesh the certificate of its server. */
interface ResumableSession {
  readonly bytes: Buffer;
  readonly peer: X509Certificate | undefined;
}

/** Opens secure connections to one endpoint, with the newest certificates, and resumes the session of the last one. */
export class TlsConnector {
  readonly #config: UpstreamTls;
  readonly #alpnProtocol: string | undefined;
  readonly #mesh: MeshTls | undefined;
  readonly #held: HeldCredential | undefined;
  readonly #onFault: ((fault: TlsFault) => void) | undefined;
  #version = 0;
  #session: ResumableSession | undefined;

  /** @param alpnProtocol The application protocol that the server must speak, such as `h2`; undefined for any. */
  constructor(
    config: UpstreamTls,
    { credentials, mesh, onTlsFault }: Pick<ClientSettings, "credentials" | "mesh" | "onTlsFault">,
    alpnProtocol: string | undefined,
  ) {
    this.#config = config;
    this.#alpnProtocol = alpnProtocol;
    this.#mesh = mesh;
    this.#onFault = onTlsFault;
    this.#held =
      config.peers === undefined ? credentials.hold(withSystemAuthorities(config, credentials)) : undefined;
  }

  /**
   * Begins a connection. The socket emits `secureConnect` when the server is verified, or `error`: also when no certificate
   * could be read yet.
   */
  connect(options: SocketOptions, tcpKeepaliveTimeMs: number): Socket {
    const { material, version, fault } = this.#held?.credential ?? this.#mesh?.credential ?? NO_CERTIFICATE;
    if (material === undefined) {
      const reason = fault ?? "its files have not been read yet";
      const error = new TlsFaultError("no_certificate", `there is no certificate: ${reason}`);
      this.#onFault?.({ reason: error.reason, error });
      return new Socket().destroy(error);
    }
    if (version !== this.#version) this.#session = undefined;
    this.#version = version;
    const session = this.#resumable();
    const { serverName, skipsVerification } = this.#config;
    const { preamble, ...socketOptions } = options;
    const alpnProtocol = this.#alpnProtocol;
    const socket: TLSSocket = connect({
      ...socketOptions,
      ...(preamble === undefined ? {} : { socket: connectWith(options, preamble) }),
      secureContext: contextOf(material),
      ...(alpnProtocol === undefined ? {} : { ALPNProtocols: [alpnProtocol] }),
      rejectUnauthorized: !skipsVerification,
      checkServerIdentity: (_host, certificate) =>
        this.#identityFault(certificate) ?? this.#protocolFault(socket.alpnProtocol),
      // RFC 6066, section 3: an address is not sent as a server name.
      ...(isIP(serverName) === 0 ? { servername: serverName } : { servername: "" }),
      ...(session === undefined ? {} : { session: session.bytes }),
    });
    if (preamble !== undefined && options.onread !== undefined) feed(options.onread, socket);
    let stage: "connecting" | "handshake" | "open" = "connecting";
    socket.once("secureConnect", () => (stage = "open"));
    if (this.#mesh !== undefined && this.#config.peers !== undefined)
      socket.once("secureConnect", () => this.#admit(socket, session));
    socket.once("connect", () => {
      stage = "handshake";
      socket.setNoDelay(true);
      if (tcpKeepaliveTimeMs > 0) socket.setKeepAlive(true, tcpKeepaliveTimeMs);
    });
    // Node emits it only for a server that was verified.
    socket.on("session", (bytes: Buffer) => {
      if (version === this.#version) this.#session = { bytes, peer: this.#peerOf(socket, session) };
    });
    // A server that refuses the session or the certificate gets a full handshake next time.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      this.#session = undefined;
      if (stage === "handshake" || (stage === "open" && isAlert(error)))
        this.#onFault?.({ reason: tlsFaultReason(error), error });
    });
    return socket;
  }

  close(): void {
    this.#held?.release();
  }

  /** A server of HTTP/1.1 may know nothing of ALPN; one of HTTP/2 must (RFC 9113, section 3.2). */
  #protocolFault(spoken: string | false | null): Error | undefined {
    const wanted = this.#alpnProtocol;
    if (wanted === undefined) return undefined;
    if (spoken === wanted || (wanted === "http/1.1" && typeof spoken !== "string")) return undefined;
    return new TlsFaultError("protocol_mismatch", `the server does not speak ${wanted}`);
  }

  /** The session of the last connection, unless its server would be refused now. */
  #resumable(): ResumableSession | undefined {
    const session = this.#session;
    if (this.#config.peers === undefined || typeof this.#meshPeer(session?.peer) !== "string") return session;
    return undefined;
  }

  /** Of a resumed session the server sends no certificate: it is the one of the session's first handshake. */
  #peerOf(socket: TLSSocket, session: ResumableSession | undefined): X509Certificate | undefined {
    if (this.#config.peers === undefined) return undefined;
    return socket.isSessionReused() ? session?.peer : socket.getPeerX509Certificate();
  }

  #meshPeer(certificate: X509Certificate | undefined): MeshPeer | string {
    const { peers, subjectAltNames } = this.#config;
    if (peers === undefined || this.#mesh === undefined) return "the proxy has no certificate";
    return this.#mesh.peerOf(certificate, peers, subjectAltNames);
  }

  #admit(socket: TLSSocket, session: ResumableSession | undefined): void {
    const peer = this.#meshPeer(this.#peerOf(socket, session));
    // A peer that was revoked within the handshake.
    if (typeof peer === "string") socket.destroy(new Error(peer));
    else this.#mesh?.admit(socket, peer);
  }

  #identityFault({ raw }: PeerCertificate): Error | undefined {
    const { subjectAltNames, serverName, skipsVerification, peers } = this.#config;
    if (peers !== undefined) {
      const peer = this.#meshPeer(new X509Certificate(raw));
      return typeof peer === "string" ? new Error(peer) : undefined;
    }
    if (skipsVerification) return undefined;
    const names = subjectAltNames.length === 0 ? [serverName] : subjectAltNames;
    const certificate = new X509Certificate(raw);
    if (names.some((name) => hasSubjectAltName(certificate, name))) return undefined;
    const has = certificate.subjectAltName ?? "no subject alternative name";
    const message = `the server's certificate is not for ${names.join(" or ")}: it has ${has}`;
    return new TlsFaultError("name_mismatch", message);
  }
}

const NO_CERTIFICATE = {
  material: undefined,
  version: 0,
  fault: "the proxy was started without a workload's certificate",
};

/** Without authorities of its own, a server is verified by those of the operating system. */
function withSystemAuthorities(
  { credential, skipsVerification }: UpstreamTls,
  { systemAuthorities }: CredentialStore,
) {
  if (skipsVerification || credential.authoritiesFile !== undefined || systemAuthorities === undefined)
    return credential;
  return { ...credential, authoritiesFile: systemAuthorities };
}

/** Contexts are shared by all endpoints with the same certificates: reading a system's authorities takes milliseconds. */
const contexts = new WeakMap<Material, SecureContext>();

function contextOf(material: Material): SecureContext {
  let context = contexts.get(material);
  if (context === undefined) {
    const { certificate: cert, privateKey: key, authorities: ca } = material;
    context = createSecureContext({
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(ca === undefined ? {} : { ca }),
      minVersion: "TLSv1.2",
    });
    contexts.set(material, context);
  }
  return context;
}

/** A plain connection that sends the bytes first. They are in the socket before TLS takes it over. */
function connectWith({ host, port, allowHalfOpen = false }: SocketOptions, preamble: Uint8Array): Socket {
  const socket = connectTcp({ host, port, allowHalfOpen });
  socket.write(preamble);
  return socket;
}

/** Node ignores `onread` where TLS takes over a socket. */
function feed(onread: OnReadOpts, socket: Socket): void {
  socket.on("data", (chunk: Buffer) => {
    for (let offset = 0; offset < chunk.byteLength; ) {
      const target = typeof onread.buffer === "function" ? onread.buffer() : onread.buffer;
      const length = chunk.copy(target, 0, offset);
      offset += length;
      onread.callback(length, target);
    }
  });
}
