// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { listenError } from "../../kernel/listen-error.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import type { Listener } from "../../core/traffic/model.ts";
import type { DownstreamAddress } from "../pipeline/exchange.ts";
import { type FaultKind, faultReply, renderLocalReply } from "../pipeline/local-reply.ts";
import type { ProxySnapshot } from "../snapshot.ts";
import { Connection } from "./connection.ts";
import { Downstream } from "./downstream.ts";

/** Bounds on what clients may take; the defaults are Envoy's where it has any. */
export interface ListenerLimits {
  /** Default 10000; beyond it new connections are closed at once. */
  readonly maxConnections: number;
  /** Default 60 KiB; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** From the first byte of a request, or from the connection, to the end of its headers; default 10 s, then 408. */
  readonly headersTimeoutMs: number;
  /** Without a request under way; default 1 hour. */
  readonly connectionIdleMs: number;
  /** Within a request, without a byte either way; default 5 minutes. A whole request may take as long as it likes. */
  readonly streamIdleMs: number;
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 60 * 1024,
  headersTimeoutMs: 10_000,
  connectionIdleMs: 3_600_000,
  streamIdleMs: 300_000,
};

/** What the requests on a socket are to be handled by. */
export interface ListenerBinding {
  readonly listener: Listener;
  readonly snapshot: ProxySnapshot;
}

export interface ListenerServices {
  readonly limits: ListenerLimits;
  readonly scheduler: Scheduler;
  readonly newId: () => string;
  /** Takes each request; must set `downstream.events`. */
  onRequest(
    binding: ListenerBinding,
    address: DownstreamAddress,
    request: IncomingMessage,
    downstream: Downstream,
  ): void;
  /** What was refused before it was a request. */
  onRefused(listener: Listener, kind: FaultKind, detail: string): void;
}

/** One listening socket with its connections. */
export class ListenerServer {
  readonly #server: Server;
  readonly #services: ListenerServices;
  readonly #connections = new Map<Socket, Connection>();
  #binding: ListenerBinding;
  #draining = false;
  /** Resolves when the drain is over. */
  #closed: Promise<void> | undefined;
  #nextConnection = 0;

  constructor(binding: ListenerBinding, services: ListenerServices) {
    this.#binding = binding;
    this.#services = services;
    const { limits } = services;
    this.#server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.connectionIdleMs,
      // Large uploads over slow lines are legitimate; the idle limit catches the ones that stand still.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      // The validate filter says it in the proxy's own form.
      requireHostHeader: false,
    });
    this.#server.maxConnections = limits.maxConnections;
    // Node would drop what is over its count silently; the validate filter refuses it.
    this.#server.maxHeadersCount = 0;
    this.#server.timeout = limits.streamIdleMs;
    this.#server.on("connection", (socket: Socket) => this.#onConnection(socket));
    this.#server.on("request", (request, response) => this.#onRequest(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#onRequest(request, response, true));
    this.#server.on("checkExpectation", (request, response) => this.#onRequest(request, response, false));
    this.#server.on("connect", (_request, socket: Socket) => {
      this.#refuse(socket, "method_not_allowed", "CONNECT is for forward proxies; this is not one.");
    });
    this.#server.on("timeout", (socket: Socket) => this.#onTimeout(socket));
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      this.#onClientError(error, socket as Socket);
    });
  }

  get binding(): ListenerBinding {
    return this.#binding;
  }

  /** The port that it really has, when the listener asked for port 0. */
  get address(): { readonly host: string; readonly port: number } {
    const bound = this.#server.address() as AddressInfo | null;
    return { host: this.#binding.listener.host, port: bound?.port ?? this.#binding.listener.port };
  }

  /** Rejects with PURSER_PORT_TAKEN or PURSER_PORT_FORBIDDEN. */
  start(): Promise<void> {
    const { host, port } = this.#binding.listener;
    return new Promise((resolve, reject) => {
      this.#server.on("error", (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port, backlog: 1024 }, () => resolve());
    });
  }

  /** Same address, other configuration: requests that come from now on see it. */
  rebind(binding: ListenerBinding): void {
    this.#binding = binding;
  }

  /**
   * Takes nothing new, lets requests under way finish for `deadlineMs` at most, then cuts the others. When it resolves,
   * every exchange is over and reported. A later call can bring the deadline forward.
   */
  async drain(deadlineMs: number): Promise<void> {
    if (!this.#draining && !this.#server.listening) return;
    this.#draining = true;
    this.#closed ??= this.#close();
    const cancel = this.#services.scheduler.after(deadlineMs, () => this.#cutAll());
    await this.#closed;
    cancel();
    // Node tells the server's end before that of its last sockets.
    this.#cutAll();
  }

  #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Node closes the connections that are idle after a request, but not those that never had one.
    for (const socket of this.#connections.keys()) if (socket.bytesRead === 0) socket.destroy();
    return closed;
  }

  #cutAll(): void {
    for (const connection of this.#connections.values()) connection.cut();
  }

  #onConnection(socket: Socket): void {
    const connection = new Connection(socket, `${this.#binding.listener.name}-${this.#nextConnection++}`);
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#connections.delete(socket));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    connection.enqueue(() => {
      const downstream = new Downstream(request, response, {
        expectsContinue,
        closing: () => this.#draining,
        scheduler: this.#services.scheduler,
        onClosed: () => {
          connection.next();
          // Its response may have promised to keep the connection before the drain began.
          if (this.#draining && connection.current === undefined) request.socket.end();
        },
      });
      this.#services.onRequest(this.#binding, connection.address, request, downstream);
      return downstream;
    });
  }

  #onTimeout(socket: Socket): void {
    const current = this.#connections.get(socket)?.current;
    if (current === undefined) socket.destroy();
    else current.events?.onIdle();
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const { code = "", reason } = error as NodeJS.ErrnoException & { reason?: string };
    const current = this.#connections.get(socket)?.current;
    const detail = reason ?? "The request is not valid HTTP/1.1.";
    if (code === "HPE_HEADER_OVERFLOW") {
      this.#refuse(socket, "request_headers_too_large", "The request's headers are too large.");
    } else if (code === "ERR_HTTP_REQUEST_TIMEOUT" && socket.bytesRead > 0) {
      this.#refuse(socket, "request_timeout", "The request's headers did not come in time.");
    } else if (!code.startsWith("HPE_")) {
      socket.destroy();
    } else if (current === undefined) {
      this.#refuse(socket, "bad_request", detail);
    } else {
      current.breakRequest(detail);
    }
  }

  /** Answers on a socket on which no request was read. */
  #refuse(socket: Socket, kind: FaultKind, detail: string): void {
    this.#services.onRefused(this.#binding.listener, kind, detail);
    // With a response under way, anything written now would look like a part of it.
    if (!socket.writable || this.#connections.get(socket)?.current !== undefined) {
      socket.destroy();
      return;
    }
    const reply = faultReply(kind, detail);
    const { headers, body } = renderLocalReply(reply, this.#services.newId());
    headers.set("connection", "close");
    const flat = headers.flat();
    let head = `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ""}\r\n`;
    for (let index = 0; index < flat.length; index += 2) head += `${flat[index]}: ${flat[index + 1]}\r\n`;
    socket.write(`${head}\r\n`, "latin1");
    socket.end(body, () => socket.destroy());
  }
}
