// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { RefusalReason, ServerHandler, ServerSettings, TransportServer } from "../contract/server.ts";
import { NodeHttpConnection } from "./node-http-connection.ts";
import { NodeHttpStream, type StreamOptions } from "./node-http-stream.ts";
import { NodeHttpUpgradeStream } from "./node-http-upgrade-stream.ts";
import { rawHead } from "./raw-head.ts";
import { upgradableRequest, upgradeOf } from "./upgradable-request.ts";

/** HTTP/1.1 by node:http. */
export class NodeHttpServer implements TransportServer {
  readonly #server: Server;
  readonly #settings: ServerSettings;
  readonly #handler: ServerHandler;
  readonly #connections = new Map<Socket, NodeHttpConnection>();
  #closing = false;

  constructor(settings: ServerSettings, handler: ServerHandler) {
    this.#settings = settings;
    this.#handler = handler;
    const { limits, upgradeProtocols } = settings;
    this.#server = createServer({
      IncomingMessage: upgradableRequest(upgradeProtocols),
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.connectionIdleMs,
      // Large uploads over slow lines are legitimate; the idle limit ends stalled ones.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      // The validate filter refuses a request without Host, with the proxy's own error.
      requireHostHeader: false,
    });
    this.#server.maxConnections = limits.maxConnections;
    // node:http would drop further fields silently; the validate filter refuses the request.
    this.#server.maxHeadersCount = 0;
    this.#server.timeout = limits.streamIdleMs;
    this.#server.on("connection", (socket: Socket) => this.#onConnection(socket));
    this.#server.on("request", (request, response) => this.#onRequest(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#onRequest(request, response, true));
    this.#server.on("checkExpectation", (request, response) => this.#onRequest(request, response, false));
    this.#server.on("connect", (_request, socket: Socket) => {
      this.#refuse(socket, "method_not_allowed", "CONNECT is for forward proxies; this is not one.");
    });
    this.#server.on("upgrade", (request, socket: Socket, first) => this.#onUpgrade(request, socket, first));
    this.#server.on("timeout", (socket: Socket) => this.#onTimeout(socket));
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      this.#onClientError(error, socket as Socket);
    });
  }

  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => resolve());
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // node:http closes connections that are idle after a request, but not those that never had one.
    for (const socket of this.#connections.keys()) if (socket.bytesRead === 0) socket.destroy();
    // node:http reports the server's close before the close of its last sockets.
    return closed.then(() => this.cut());
  }

  cut(): void {
    for (const connection of this.#connections.values()) connection.cut();
  }

  #onConnection(socket: Socket): void {
    const connection = new NodeHttpConnection(socket, this.#settings.newConnectionId());
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#connections.delete(socket));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    connection?.enqueue(() => {
      const options = this.#streamOptions(connection, request.socket);
      const stream = new NodeHttpStream(request, response, expectsContinue, options);
      this.#handler.onStream(stream);
      return stream;
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, first: Buffer): void {
    const connection = this.#connections.get(socket);
    const { limits, upgradeProtocols } = this.#settings;
    const protocol = upgradeOf(request, upgradeProtocols);
    if (connection === undefined || protocol === undefined) {
      socket.destroy();
      return;
    }
    // node:http has removed its own listener; an error during an earlier response would end the process.
    socket.on("error", () => {});
    connection.enqueue(() => {
      const options = { ...this.#streamOptions(connection, socket), idleMs: limits.streamIdleMs };
      const stream = new NodeHttpUpgradeStream(request, socket, first, protocol, options);
      this.#handler.onStream(stream);
      return stream;
    });
  }

  #streamOptions(connection: NodeHttpConnection, socket: Socket): StreamOptions {
    return {
      connection: connection.facts,
      closing: () => this.#closing,
      scheduler: this.#settings.scheduler,
      onClosed: () => {
        connection.next();
        // The response may have promised keep-alive before the server began to close.
        if (this.#closing && connection.current === undefined) socket.end();
      },
    };
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
    } else if (current instanceof NodeHttpStream) {
      current.breakRequest(detail);
    } else {
      this.#refuse(socket, "bad_request", detail);
    }
  }

  /** Replies on a socket on which no request was read. */
  #refuse(socket: Socket, reason: RefusalReason, detail: string): void {
    const { status, headers, body } = this.#handler.onRefused(reason, detail);
    // While a response is under way, a second one would be read as a part of it.
    if (!socket.writable || this.#connections.get(socket)?.current !== undefined) {
      socket.destroy();
      return;
    }
    headers.set("connection", "close");
    socket.write(rawHead({ status, headers }), "latin1");
    socket.end(body, () => socket.destroy());
  }
}
