// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import type { ListenerLimits } from "../../../../core/traffic/resources/listener.ts";
import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { Cancel } from "../../../../kernel/ports.ts";
import type { ServerHandler, ServerSettings, TransportServer } from "../../contract/server.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import { NO_RAW_SERVERS, type RawServers } from "../../contract/raw.ts";
import { ProxyHeaderGate } from "../../proxy-protocol/header-gate.ts";
import type { ProxyHeader } from "../../proxy-protocol/header-result.ts";
import { type SecureConnection, TlsAcceptor } from "../../tls/server/tls-acceptor.ts";
import { type MemoryPressure, memoryPressureOf, type MemoryUse, memoryUse } from "./memory-pressure.ts";
import type { Accept, AcceptedConnection, ConnectionServer, Secure } from "./accepted-connection.ts";
import { connectionFacts } from "./connection-facts.ts";
import { RawAccepted, type RawOrigin } from "./raw-accepted.ts";
import { ServerConnection } from "./server-connection.ts";
import type { LimitTicks } from "./time-limits.ts";
import { untilNoneWaits } from "./waiting-connections.ts";

/** How long a connection is read after its last response: Envoy's delayed_close_timeout. */
const LINGER_MS = 1_000;

/** Envoy's overload.premature_reset_min_stream_lifetime_seconds. */
const PREMATURE_RESET_MS = 1_000;

const NO_BYTES = Buffer.alloc(0);
const PLAIN: RawOrigin = { kind: "plain" };

const MAX_TICK_MS = 1_000;
/** Interval of the checks of the process' memory. */
const MEMORY_CHECK_MS = 1_000;

/** One listening address, in plain text or over TLS: of HTTP/1.1, and of HTTP/2 where its codec is given. Both have the same limits. */
export class Http1Server implements TransportServer, ConnectionServer {
  readonly handler: ServerHandler;
  readonly upgradeProtocols: readonly string[];
  maxHeaderBytes: number;
  limitTicks: LimitTicks;
  tick = 0;
  drainTick: number | undefined = undefined;
  drainGraceTicks: number;
  readonly #server: Server;
  readonly #settings: ServerSettings;
  readonly #readMemory: (limitBytes: number) => MemoryUse;
  #limits: ListenerLimits;
  #tickMs: number;
  readonly #acceptHttp2: Accept | undefined;
  readonly #connections = new Set<AcceptedConnection>();
  /** Number of connections that the operating system gave, refused ones included. */
  #accepted = 0;
  readonly #tls: TlsAcceptor;
  #raw: RawServers;
  #requiresProxyHeader: boolean;
  readonly #proxyHeaders: ProxyHeaderGate;
  /** The addresses that the load balancer has told, by the socket below TLS. */
  readonly #ends = new WeakMap<Socket, NonNullable<ProxyHeader["ends"]>>();
  #pressure: MemoryPressure = "none";
  #cancelTicks: Cancel | undefined;
  #onAllClosed: (() => void) | undefined;

  /**
   * @param readMemory Called once a second with `memoryLimitBytes`.
   * @param acceptHttp2 Makes the connections of clients that begin with the preface of HTTP/2.
   */
  constructor(
    settings: ServerSettings,
    handler: ServerHandler,
    readMemory = memoryUse,
    acceptHttp2?: Accept,
  ) {
    const { limits, upgradeProtocols } = settings;
    this.#settings = settings;
    this.#limits = limits;
    this.#readMemory = readMemory;
    this.handler = handler;
    this.#acceptHttp2 = acceptHttp2;
    this.upgradeProtocols = upgradeProtocols;
    this.maxHeaderBytes = limits.maxHeaderBytes;
    this.#tickMs = tickMsOf(limits);
    this.limitTicks = limitTicksOf(limits, this.#tickMs);
    this.drainGraceTicks = Math.floor(limits.drainGraceMs / this.#tickMs);
    const codecs = new Map<string, (secure: SecureConnection) => void>();
    // Clients that know both prefer HTTP/2.
    if (acceptHttp2 !== undefined) codecs.set("h2", (secure) => this.#acceptSecure(acceptHttp2, secure));
    codecs.set("http/1.1", (secure) => this.#serve(secure.socket, secure));
    const { tls: services, tlsServers, acceptsPlainText, scheduler, proxyProtocol } = settings;
    this.#requiresProxyHeader = proxyProtocol;
    this.#proxyHeaders = new ProxyHeaderGate(scheduler, () =>
      handler.onConnectionEvent("proxy_protocol_error"),
    );
    this.#tls = new TlsAcceptor(
      {
        services,
        scheduler,
        codecs,
        onPlainText: (socket) => this.#acceptPlainText(socket),
        onRawSecure: (secure) => this.#serveRaw(secure.socket, secure, undefined, secure.server.routeTable),
        onPassthrough: (socket, { name, routeTable }, serverName) =>
          this.#serveRaw(socket, undefined, { kind: "passthrough", name }, routeTable, serverName),
        onHandshake: handler.onHandshake.bind(handler),
      },
      limits,
    );
    this.#raw = settings.rawServers ?? NO_RAW_SERVERS;
    this.#tls.setServers(tlsServers, this.#raw.passthrough, acceptsPlainText);
    // Half-open connections: the client's end must not end the response or the tunnel under way.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.#server.on("connection", (socket: Socket) => this.#onConnection(socket));
  }

  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", (error) => {
        this.#tls.close();
        reject(error);
      });
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#startTicks();
        resolve();
      });
    });
  }

  setLimits(limits: ListenerLimits): void {
    if (this.drainTick !== undefined) return;
    this.#limits = limits;
    this.#tls.setLimits(limits);
    this.maxHeaderBytes = limits.maxHeaderBytes;
    const oldTickMs = this.#tickMs;
    this.#tickMs = tickMsOf(limits);
    this.limitTicks = limitTicksOf(limits, this.#tickMs);
    this.drainGraceTicks = Math.floor(limits.drainGraceMs / this.#tickMs);
    if (this.#tickMs === oldTickMs || this.#cancelTicks === undefined) return;
    for (const connection of this.#connections) connection.rescale(oldTickMs / this.#tickMs);
    this.#cancelTicks();
    this.#startTicks();
  }

  setTlsServers(
    servers: readonly TlsServer[],
    raw: RawServers = NO_RAW_SERVERS,
    acceptsPlainText = false,
  ): void {
    if (this.drainTick !== undefined) return;
    this.#raw = raw;
    this.#tls.setServers(servers, raw.passthrough, acceptsPlainText);
    for (const connection of this.#connections) if (!this.#isCurrent(connection)) connection.retire();
  }

  /** Whether the listener would still accept the connection as it did. */
  #isCurrent(connection: AcceptedConnection): boolean {
    const origin = connection instanceof RawAccepted ? connection.origin : undefined;
    if (origin?.kind === "passthrough") return this.#tls.hasPassthrough(origin.name);
    if (connection.tlsServer !== undefined) return this.#tls.isCurrent(connection.tlsServer);
    const isRaw = origin !== undefined;
    return this.#tls.acceptsPlainText && isRaw === (this.#raw.plainTable !== undefined);
  }

  setProxyProtocol(isRequired: boolean): void {
    this.#requiresProxyHeader = isRequired;
  }

  acceptWaiting(limitMs: number): Promise<void> {
    return untilNoneWaits(() => this.#accepted, this.#settings.scheduler, limitMs);
  }

  async close(deadlineMs: number): Promise<void> {
    this.drainTick = this.tick;
    this.#proxyHeaders.cut();
    // Half of the time at most, so that the connections that are closed then can end in time.
    const graceMs = Math.min(this.#limits.drainGraceMs, deadlineMs / 2);
    this.drainGraceTicks = Math.floor(graceMs / this.#tickMs);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // The server reports its close before the `close` events of its last sockets.
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onAllClosed = resolve));
    this.#tls.close();
    this.#cancelTicks?.();
  }

  cut(): void {
    this.#tls.cut();
    for (const connection of this.#connections) connection.cut(false);
  }

  stopsKeepAlive(): boolean {
    if (this.drainTick !== undefined) return true;
    if (this.#pressure === "none") return false;
    this.handler.onConnectionEvent("overload_disable_keepalive");
    return true;
  }

  get acceptsHttp2(): boolean {
    return this.#acceptHttp2 !== undefined;
  }

  onPreface(connection: AcceptedConnection, socket: Socket, first: Buffer, secure: Secure | undefined): void {
    this.#connections.delete(connection);
    const http2 = this.#acceptHttp2?.(socket, connection.facts, this, first, secure);
    if (http2 !== undefined) this.#add(http2);
  }

  onClosed(connection: AcceptedConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onAllClosed?.();
  }

  #onConnection(socket: Socket): void {
    this.#accepted++;
    const refusal =
      this.#pressure === "refuse-connections"
        ? "overload_reject"
        : this.#connections.size + this.#tls.pending + this.#proxyHeaders.pending >=
            this.#limits.maxConnections
          ? "overflow"
          : undefined;
    if (refusal !== undefined) {
      this.handler.onConnectionEvent(refusal);
      socket.destroy();
      return;
    }
    if (this.#requiresProxyHeader) this.#acceptBehindProxy(socket);
    else this.#accept(socket);
  }

  #acceptBehindProxy(socket: Socket): void {
    this.#proxyHeaders.accept(socket, this.#limits.headersTimeoutMs, (ends, rest) => {
      if (ends !== undefined) this.#ends.set(socket, ends);
      this.#accept(socket);
      if (rest.byteLength > 0) socket.unshift(rest);
    });
  }

  #accept(socket: Socket): void {
    if (this.#tls.isOn) this.#tls.accept(socket);
    else this.#acceptPlainText(socket);
  }

  #acceptPlainText(socket: Socket): void {
    if (this.#raw.plainTable === undefined) this.#serve(socket, undefined);
    else this.#serveRaw(socket, undefined, PLAIN, this.#raw.plainTable);
  }

  /** @param origin Undefined for a connection whose TLS ends here. */
  #serveRaw(
    socket: Socket,
    secure: SecureConnection | undefined,
    origin: RawOrigin | undefined,
    routeTable: string,
    serverName = secure?.facts.serverName,
  ): void {
    const facts = this.#factsOf(socket, secure);
    const accepted = new RawAccepted(facts, secure?.server, origin);
    const onClosed = (): void => this.onClosed(accepted);
    this.#connections.add(accepted);
    accepted.session = this.handler.onRaw({ socket, facts, serverName, routeTable, onClosed });
    // The servers may have changed during the handshake.
    if (!this.#isCurrent(accepted)) accepted.retire();
  }

  #serve(socket: Socket, secure: SecureConnection | undefined): void {
    this.#add(new ServerConnection(socket, this.#factsOf(socket, secure), this, secure));
  }

  #acceptSecure(accept: Accept, secure: SecureConnection): void {
    this.#add(accept(secure.socket, this.#factsOf(secure.socket, secure), this, NO_BYTES, secure));
  }

  #factsOf(socket: Socket, secure: SecureConnection | undefined): ConnectionFacts {
    const ends = this.#ends.get(secure?.transport ?? socket);
    return connectionFacts(socket, this.#settings.newConnectionId(), secure?.facts, ends);
  }

  #add(connection: AcceptedConnection): void {
    this.#connections.add(connection);
    // The servers may have changed during the handshake.
    if (connection.tlsServer !== undefined && !this.#tls.isCurrent(connection.tlsServer)) connection.retire();
  }

  #startTicks(): void {
    this.#cancelTicks = this.#settings.scheduler.every(this.#tickMs, () => this.#onTick());
  }

  #onTick(): void {
    this.tick++;
    if (this.tick % Math.ceil(MEMORY_CHECK_MS / this.#tickMs) === 0) {
      this.#pressure = memoryPressureOf(this.#readMemory(this.#limits.memoryLimitBytes));
    }
    for (const connection of this.#connections) connection.onTick();
  }
}

/** One sweep over the connections serves all limits: a timer for each connection costs more than its requests. */
function tickMsOf(limits: ListenerLimits): number {
  const { headersTimeoutMs, connectionIdleMs, streamIdleMs, requestTimeoutMs, drainGraceMs } = limits;
  const limitsMs = [
    headersTimeoutMs,
    connectionIdleMs,
    streamIdleMs,
    requestTimeoutMs,
    drainGraceMs,
    LINGER_MS,
  ];
  const shortestMs = Math.min(...limitsMs.filter((limitMs) => limitMs > 0));
  return Math.max(1, Math.min(MAX_TICK_MS, Math.floor(shortestMs / 4)));
}

function limitTicksOf(limits: ListenerLimits, tickMs: number): LimitTicks {
  const ticks = (limitMs: number): number => Math.ceil(limitMs / tickMs);
  return {
    headers: ticks(limits.headersTimeoutMs),
    connectionIdle: ticks(limits.connectionIdleMs),
    streamIdle: ticks(limits.streamIdleMs),
    request: ticks(limits.requestTimeoutMs),
    linger: ticks(LINGER_MS),
    prematureReset: ticks(PREMATURE_RESET_MS),
  };
}
