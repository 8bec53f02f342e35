// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { isIP, type OnReadOpts, Socket } from "node:net";
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
import { hasSubjectAltName } from "../subject-alt-names.ts";
import { isAlert, type TlsFault, TlsFaultError, tlsFaultReason } from "./tls-fault.ts";

/** The endpoint, and options of its socket; Node's declarations leave two of them out for TLS. */
interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly allowHalfOpen?: boolean;
  readonly onread?: OnReadOpts;
}

/** Opens secure connections to one endpoint, with the newest certificates, and resumes the session of the last one. */
export class TlsConnector {
  readonly #config: UpstreamTls;
  readonly #alpnProtocol: string;
  readonly #held: HeldCredential;
  readonly #onFault: ((fault: TlsFault) => void) | undefined;
  #version = 0;
  #session: Buffer | undefined;

  /**
   * @param alpnProtocol The application protocol that the server must speak, such as `h2`.
   * @param onFault Called when a connection does not open because of TLS.
   */
  constructor(
    config: UpstreamTls,
    credentials: CredentialStore,
    alpnProtocol: string,
    onFault?: (fault: TlsFault) => void,
  ) {
    this.#config = config;
    this.#alpnProtocol = alpnProtocol;
    this.#onFault = onFault;
    this.#held = credentials.hold(withSystemAuthorities(config, credentials));
  }

  /**
   * Begins a connection. The socket emits `secureConnect` when the server is verified, or `error`: also when no certificate
   * could be read yet.
   */
  connect(options: SocketOptions, tcpKeepaliveTimeMs: number): Socket {
    const { material, version, fault } = this.#held.credential;
    if (material === undefined) {
      const reason = fault ?? "its files have not been read yet";
      const error = new TlsFaultError("no_certificate", `there is no certificate: ${reason}`);
      this.#onFault?.({ reason: error.reason, error });
      return new Socket().destroy(error);
    }
    if (version !== this.#version) this.#session = undefined;
    this.#version = version;
    const { serverName, skipsVerification } = this.#config;
    const socket: TLSSocket = connect({
      ...options,
      secureContext: contextOf(material),
      ALPNProtocols: [this.#alpnProtocol],
      rejectUnauthorized: !skipsVerification,
      checkServerIdentity: (_host, certificate) =>
        this.#identityFault(certificate) ?? this.#protocolFault(socket.alpnProtocol),
      // RFC 6066, section 3: an address is not sent as a server name.
      ...(isIP(serverName) === 0 ? { servername: serverName } : { servername: "" }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    let stage: "connecting" | "handshake" | "open" = "connecting";
    socket.once("secureConnect", () => (stage = "open"));
    socket.once("connect", () => {
      stage = "handshake";
      socket.setNoDelay(true);
      if (tcpKeepaliveTimeMs > 0) socket.setKeepAlive(true, tcpKeepaliveTimeMs);
    });
    // Node emits it only for a server that was verified.
    socket.on("session", (session: Buffer) => {
      if (version === this.#version) this.#session = session;
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
    this.#held.release();
  }

  /** A server of HTTP/1.1 may know nothing of ALPN; one of HTTP/2 must (RFC 9113, section 3.2). */
  #protocolFault(spoken: string | false | null): Error | undefined {
    const wanted = this.#alpnProtocol;
    if (spoken === wanted || (wanted === "http/1.1" && typeof spoken !== "string")) return undefined;
    return new TlsFaultError("protocol_mismatch", `the server does not speak ${wanted}`);
  }

  #identityFault({ raw }: PeerCertificate): Error | undefined {
    const { subjectAltNames, serverName, skipsVerification } = this.#config;
    if (skipsVerification) return undefined;
    const names = subjectAltNames.length === 0 ? [serverName] : subjectAltNames;
    const certificate = new X509Certificate(raw);
    if (names.some((name) => hasSubjectAltName(certificate, name))) return undefined;
    const has = certificate.subjectAltName ?? "no subject alternative name";
    const message = `the server's certificate is not for ${names.join(" or ")}: it has ${has}`;
    return new TlsFaultError("name_mismatch", message);
  }
}

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
