// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import { isSameResource } from "../../../../core/traffic/resources/resource-set.ts";
import type { ListenerLimits } from "../../../../core/traffic/resources/listener.ts";
import type { PassthroughServer } from "../../../../core/traffic/resources/tcp.ts";
import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { Cancel, Scheduler } from "../../../../kernel/ports.ts";
import type { HandshakeResult, TlsServices } from "../../contract/tls.ts";
import type { TlsFacts } from "../../contract/connection.ts";
import type { MeshPeer } from "../peers/mesh-tls.ts";
import { beginsTls, readClientHello } from "./client-hello.ts";
import { failureOf } from "./handshake-result.ts";
import { SecureServer } from "./secure-server.ts";
import { byExactness, type NamedServer, serverOfName } from "./server-names.ts";
import { tlsFactsOf } from "./tls-facts.ts";

/** A connection whose handshake is over. */
export interface SecureConnection {
  readonly socket: TLSSocket;
  /** The socket below it, which alone can be reset. */
  readonly transport: Socket;
  readonly facts: TlsFacts;
  /** The server that accepted the connection, as it was configured then. */
  readonly server: TlsServer;
}

export interface TlsAcceptorSettings {
  readonly services: TlsServices;
  readonly scheduler: Scheduler;
  /**
   * Takes the connections of each application protocol (ALPN), in order of preference; a client that names none
   * speaks the last.
   */
  readonly codecs: ReadonlyMap<string, (connection: SecureConnection) => void>;
  /** Takes a connection whose first bytes, which follow, are no handshake; called only where plain text is accepted. */
  onPlainText(socket: Socket): void;
  /** Takes the connections whose server ends TLS and forwards the bytes within as they are. */
  readonly onRawSecure: (connection: SecureConnection) => void;
  /** Takes the connections whose TLS is forwarded as it is; their first bytes can be read again. */
  readonly onPassthrough: (socket: Socket, server: PassthroughServer, serverName: string | undefined) => void;
  onHandshake(result: HandshakeResult): void;
}

type Limits = Pick<ListenerLimits, "handshakeTimeoutMs" | "maxHandshakes">;

/** A connection whose handshake is under way. */
interface Handshake {
  readonly socket: Socket;
  readonly key: string;
  serverName: string | undefined;
  /** Whether the ClientHello has come. */
  hasBegun: boolean;
  cancelDeadline: Cancel;
}

/**
 * Runs the TLS handshakes of a listener's connections. The server is chosen by the name in the ClientHello before
 * OpenSSL sees it, as by Envoy's tls_inspector: OpenSSL can then choose versions, suites and the demand for a client
 * certificate by server.
 */
export class TlsAcceptor {
  readonly #settings: TlsAcceptorSettings;
  #limits: Limits;
  #servers: readonly NamedServer<SecureServer | PassthroughServer>[] = [];
  #configs: readonly TlsServer[] = [];
  #acceptsPlainText = false;
  #passthrough: readonly PassthroughServer[] = [];
  /** By address of the client and of this side, which no two open connections share. The oldest first. */
  readonly #handshakes = new Map<string, Handshake>();
  /** Sockets that were closed here within their handshake, whose end Node is still to report. */
  #reportsToIgnore = 0;

  constructor(settings: TlsAcceptorSettings, limits: Limits) {
    this.#settings = settings;
    this.#limits = limits;
  }

  /** Number of handshakes under way. */
  get pending(): number {
    return this.#handshakes.size;
  }

  /** Whether connections are accepted with TLS. */
  get isOn(): boolean {
    return this.#servers.length > 0;
  }

  /** Whether a connection may be plain text. */
  get acceptsPlainText(): boolean {
    return !this.isOn || this.#acceptsPlainText;
  }

  setLimits(limits: Limits): void {
    this.#limits = limits;
  }

  /**
   * Replaces the servers, for handshakes that begin from now on. Unchanged servers stay as they are.
   *
   * @param acceptsPlainText Whether a connection may be plain text too.
   */
  setServers(
    configs: readonly TlsServer[],
    passthrough: readonly PassthroughServer[] = [],
    acceptsPlainText = false,
  ): void {
    this.#acceptsPlainText = acceptsPlainText;
    const before = new Set(
      this.#servers.flatMap(({ server }) => (server instanceof SecureServer ? [server] : [])),
    );
    const { services, codecs } = this.#settings;
    const events = {
      onSecure: (socket: TLSSocket, server: SecureServer, peer: MeshPeer | undefined) =>
        this.#onSecure(socket, server, peer),
      onFailure: (error: NodeJS.ErrnoException, socket: TLSSocket) => this.#onFailure(error, socket),
    };
    const servers = configs.map((config) => {
      const same = [...before].find((server) => isSameResource(server.config, config));
      const alpnProtocols = config.protocol === "tcp" ? [] : [...codecs.keys()];
      return same ?? new SecureServer(config, services, alpnProtocols, events);
    });
    for (const server of before) if (!servers.includes(server)) server.close();
    this.#configs = servers.map(({ config }) => config);
    this.#passthrough = passthrough;
    this.#servers = byExactness([...servers, ...passthrough], (server) =>
      server instanceof SecureServer ? server.config.serverNames : server.serverNames,
    );
  }

  /** Whether a server of the name forwards TLS as it is. */
  hasPassthrough(name: string): boolean {
    return this.#passthrough.some((server) => server.name === name);
  }

  /** Whether a connection that `server` accepted would be accepted by the present servers too. */
  isCurrent(server: TlsServer | undefined): boolean {
    return server === undefined ? this.acceptsPlainText : this.#configs.includes(server);
  }

  accept(socket: Socket): void {
    socket.on("error", ignore);
    const { handshakeTimeoutMs, maxHandshakes } = this.#limits;
    if (socket.remotePort === undefined) {
      this.#settings.onHandshake("closed");
      socket.destroy();
      return;
    }
    if (this.#handshakes.size >= maxHandshakes && !this.#makeRoom()) {
      this.#settings.onHandshake("overflow");
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    const handshake: Handshake = {
      socket,
      key,
      serverName: undefined,
      hasBegun: false,
      cancelDeadline: this.#settings.scheduler.after(handshakeTimeoutMs, () =>
        this.#abort(handshake, "timeout"),
      ),
    };
    this.#handshakes.set(key, handshake);
    socket.once("close", () => this.#onClosed(handshake));
    this.#awaitHello(handshake);
  }

  /** Cuts every handshake. */
  cut(): void {
    for (const handshake of this.#handshakes.values()) this.#abort(handshake, "closed");
  }

  /** Lets the servers go. No connection may be accepted any more. */
  close(): void {
    this.setServers([]);
  }

  #awaitHello(handshake: Handshake): void {
    const { socket } = handshake;
    let bytes: Buffer | undefined;
    const onData = (chunk: Buffer): void => {
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
      if (this.#acceptsPlainText && !beginsTls(bytes)) {
        socket.off("data", onData);
        socket.off("end", onEnd);
        this.#forget(handshake);
        this.#settings.onPlainText(socket);
        socket.unshift(bytes);
        return;
      }
      const hello = readClientHello(bytes);
      if (hello === "partial") return;
      socket.off("data", onData);
      socket.off("end", onEnd);
      if (hello === "malformed") return this.#abort(handshake, "not_tls");
      socket.pause();
      socket.unshift(bytes);
      this.#begin(handshake, hello.serverName);
    };
    const onEnd = (): void => this.#abort(handshake, bytes === undefined ? "closed" : "not_tls");
    socket.on("data", onData);
    socket.on("end", onEnd);
  }

  #begin(handshake: Handshake, serverName: string | undefined): void {
    const server = serverOfName(this.#servers, serverName);
    if (server === undefined) return this.#abort(handshake, "unknown_server_name");
    if (!(server instanceof SecureServer)) {
      this.#forget(handshake);
      this.#settings.onHandshake("passthrough");
      return this.#settings.onPassthrough(handshake.socket, server, serverName);
    }
    handshake.serverName = serverName;
    // A client that ends its side within the handshake is gone; the secure socket takes this setting over.
    handshake.socket.allowHalfOpen = false;
    if (!server.begin(handshake.socket)) return this.#abort(handshake, "no_certificate");
    handshake.hasBegun = true;
  }

  #onSecure(socket: TLSSocket, server: SecureServer, peer: MeshPeer | undefined): void {
    const handshake = this.#handshakes.get(keyOf(socket));
    // A client that has gone already has no address.
    if (handshake === undefined) {
      socket.on("error", ignore);
      socket.destroy();
      return;
    }
    this.#forget(handshake);
    socket.allowHalfOpen = true;
    this.#settings.onHandshake(socket.isSessionReused() ? "resumed" : "full");
    const { codecs } = this.#settings;
    const { config } = server;
    const facts = tlsFactsOf(socket, config, handshake.serverName, peer);
    const connection = { socket, transport: handshake.socket, facts, server: config };
    if (config.protocol === "tcp") return this.#settings.onRawSecure(connection);
    const codec = codecs.get(facts.alpn ?? "") ?? [...codecs.values()].at(-1);
    codec?.(connection);
  }

  #onFailure(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const result = failureOf(error, socket);
    if (result === "closed" && this.#reportsToIgnore > 0) this.#reportsToIgnore--;
    else this.#settings.onHandshake(result);
  }

  /** Ends the oldest handshake that has not begun: a client that is slow to begin makes way. */
  #makeRoom(): boolean {
    for (const handshake of this.#handshakes.values()) {
      if (handshake.hasBegun) continue;
      this.#abort(handshake, "overflow");
      return true;
    }
    return false;
  }

  #abort(handshake: Handshake, result: HandshakeResult): void {
    this.#forget(handshake);
    if (handshake.hasBegun) this.#reportsToIgnore++;
    this.#settings.onHandshake(result);
    handshake.socket.destroy();
  }

  #onClosed(handshake: Handshake): void {
    if (!this.#isUnderWay(handshake)) return;
    this.#forget(handshake);
    // Of a handshake that has begun, Node reports the failure.
    if (!handshake.hasBegun) this.#settings.onHandshake("closed");
  }

  #isUnderWay(handshake: Handshake): boolean {
    return this.#handshakes.get(handshake.key) === handshake;
  }

  #forget(handshake: Handshake): void {
    handshake.cancelDeadline();
    if (this.#isUnderWay(handshake)) this.#handshakes.delete(handshake.key);
  }
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function ignore(): void {
  // The socket's `close` event follows.
}
