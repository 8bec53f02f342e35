// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener, ListenerLimits } from "../../core/traffic/resources/listener.ts";
import { listenError } from "../../server/listen-error.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import { type ErrorKind, errorReply, renderLocalReply } from "../exchange/local-reply.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import {
  NO_RAW_SERVERS,
  type RawConnection,
  type RawServers,
  type RawSession,
} from "../transport/contract/raw.ts";
import type {
  ConnectionEvent,
  RefusalReason,
  ServerHandler,
  ServerStream,
  TransportServer,
  WholeResponse,
} from "../transport/contract/server.ts";
import type { HandshakeResult, TlsServices } from "../transport/contract/tls.ts";
import type { Transport } from "../transport/contract/transport.ts";
import { tlsOfListener } from "./peer-server.ts";

/** The configuration by which a listener handles its requests. */
export interface ListenerBinding {
  readonly listener: Listener;
  readonly snapshot: ProxySnapshot;
}

export interface ListenerServices {
  readonly transport: Transport;
  /** Limits that apply in place of those of every listener's own resource. */
  readonly limits: Partial<ListenerLimits>;
  /** Upgrade protocols that are accepted, in lower case. */
  readonly upgradeProtocols: readonly string[];
  readonly scheduler: Scheduler;
  readonly newId: () => string;
  /** Called for each request; must set `stream.events`. */
  onStream(binding: ListenerBinding, stream: ServerStream): void;
  /** Called for each connection that is not HTTP. */
  onRaw(binding: ListenerBinding, connection: RawConnection): RawSession;
  /** Called for bytes that were refused before they became a request. */
  onRefused(listener: Listener, kind: ErrorKind, detail: string): void;
  onConnectionEvent(listener: Listener, event: ConnectionEvent): void;
  onHandshake(listener: Listener, result: HandshakeResult): void;
  readonly tls: TlsServices;
}

/** How long new clients can put off a drain, in milliseconds. */
const MAX_ACCEPT_MS = 1_000;

/** One listening address, with the configuration by which its requests are handled. */
export class ListenerServer implements ServerHandler {
  readonly #server: TransportServer;
  readonly #services: ListenerServices;
  #binding: ListenerBinding;
  /** Resolves when the drain is over; undefined before the drain. */
  #closed: Promise<void> | undefined;
  #nextConnection = 0;

  constructor(binding: ListenerBinding, services: ListenerServices) {
    this.#binding = binding;
    this.#services = services;
    const { transport, upgradeProtocols, scheduler, tls } = services;
    const { proxyProtocol = false } = binding.listener;
    const { servers: tlsServers, acceptsPlainText } = tlsOfListener(binding.listener);
    const limits = this.#limitsOf(binding);
    const newConnectionId = (): string => `${this.#binding.listener.name}-${this.#nextConnection++}`;
    const settings = {
      limits,
      upgradeProtocols,
      scheduler,
      newConnectionId,
      tls,
      tlsServers,
      acceptsPlainText,
      proxyProtocol,
      rawServers: rawServersOf(binding.listener),
    };
    this.#server = transport.createServer(settings, this);
  }

  get binding(): ListenerBinding {
    return this.#binding;
  }

  /** The bound address; its port is the actual one when the listener asks for port 0. */
  get address(): { readonly host: string; readonly port: number } {
    const { host, port } = this.#binding.listener;
    return { host, port: this.#server.port ?? port };
  }

  /** @throws {PurserError} PURSER_PORT_TAKEN or PURSER_PORT_FORBIDDEN. */
  async start(): Promise<void> {
    const { host, port, origin } = this.#binding.listener;
    try {
      await this.#server.listen(host, port);
    } catch (error) {
      throw error instanceof Error ? await listenError(error, { host, port, origin }) : error;
    }
  }

  /**
   * Replaces the configuration for requests that begin from now on, and the limits. The address is unchanged, and no
   * connection is closed.
   */
  rebind(binding: ListenerBinding): void {
    this.#binding = binding;
    this.#server.setLimits(this.#limitsOf(binding));
    const { servers, acceptsPlainText } = tlsOfListener(binding.listener);
    this.#server.setTlsServers(servers, rawServersOf(binding.listener), acceptsPlainText);
    this.#server.setProxyProtocol(binding.listener.proxyProtocol ?? false);
  }

  /** Accepts the connections that clients have made already; call before `drain`, which would reset them. */
  async acceptWaiting(deadlineMs: number): Promise<void> {
    await this.#server.acceptWaiting(Math.min(MAX_ACCEPT_MS, deadlineMs / 2));
  }

  /**
   * Accepts no new connections, lets requests and upgraded connections under way finish for `deadlineMs` at
   * most, then cuts the rest. When it resolves, every exchange is over and reported. A later call can shorten
   * the deadline.
   */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#closed === undefined && this.#server.port === undefined) return;
    this.#closed ??= this.#server.close(deadlineMs);
    const cancel = this.#services.scheduler.after(deadlineMs, () => this.#server.cut());
    await this.#closed;
    cancel();
  }

  onStream(stream: ServerStream): void {
    this.#services.onStream(this.#binding, stream);
  }

  onRaw(connection: RawConnection): RawSession {
    return this.#services.onRaw(this.#binding, connection);
  }

  onRefused(reason: RefusalReason, detail: string): WholeResponse {
    this.#services.onRefused(this.#binding.listener, reason, detail);
    const reply = errorReply(reason, detail);
    const { headers, body } = renderLocalReply(reply, this.#services.newId());
    return { status: reply.status, headers, body };
  }

  onConnectionEvent(event: ConnectionEvent): void {
    this.#services.onConnectionEvent(this.#binding.listener, event);
  }

  onHandshake(result: HandshakeResult): void {
    this.#services.onHandshake(this.#binding.listener, result);
  }

  #limitsOf({ listener }: ListenerBinding): ListenerLimits {
    return { ...listener.limits, ...this.#services.limits };
  }
}

function rawServersOf({ tcp }: Listener): RawServers {
  return tcp === undefined
    ? NO_RAW_SERVERS
    : { plainTable: tcp.plainTable, passthrough: tcp.passthroughServers };
}
