// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import type { BodyReceiver } from "../contract/body.ts";
import type { ConnectionFacts } from "../contract/connection.ts";
import type { RequestHead, ResponseHead } from "../contract/head.ts";
import type { HeaderList } from "../contract/header-list.ts";
import type { ServerStreamEvents } from "../contract/server.ts";
import { SocketTunnel } from "./socket-tunnel.ts";
import type { ConnectionStream } from "./node-http-connection.ts";
import { LINGER_MS, type StreamOptions } from "./node-http-stream.ts";
import { rawHead } from "./raw-head.ts";
import { requestHeadOf } from "./request-head.ts";

/**
 * A request to upgrade. node:http hands its socket over, and reads no further request from it: an ordinary
 * response ends the connection, and that end delimits a body without a declared length (RFC 9112, section
 * 6.3).
 */
export class NodeHttpUpgradeStream implements ConnectionStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined;
  readonly #socket: Socket;
  readonly #tunnel: SocketTunnel;
  readonly #protocol: string;
  readonly #options: StreamOptions;
  #receiver: BodyReceiver | undefined;
  /** Bytes that the client sent before the response. */
  readonly #early: Uint8Array[] = [];
  #ended = false;
  #wasCut = false;
  #closed = false;

  /** @param first Bytes of the protocol that arrived with the request. */
  constructor(
    request: IncomingMessage,
    socket: Socket,
    first: Buffer,
    protocol: string,
    options: StreamOptions & { readonly idleMs: number },
  ) {
    this.head = requestHeadOf(request, protocol);
    this.connection = options.connection;
    this.#socket = socket;
    this.#protocol = protocol;
    this.#options = options;
    if (first.byteLength > 0) this.#early.push(first);
    socket.removeAllListeners("timeout");
    socket.setTimeout(options.idleMs, () => this.events?.onIdle());
    this.#tunnel = new SocketTunnel(socket, {
      onData: (chunk) => this.#onData(chunk),
      onEnd: () => this.#onEnd(),
      onWritable: () => this.events?.onWritable(),
      onClose: () => this.close(),
    });
  }

  read(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    for (const chunk of this.#early.splice(0)) receiver.onData(chunk);
    this.#tunnel.resume();
  }

  pause(): void {
    this.#tunnel.pause();
  }

  resume(): void {
    this.#tunnel.resume();
  }

  sendInformational(head: ResponseHead): void {
    this.#socket.write(rawHead(head), "latin1");
  }

  sendHead(head: ResponseHead): void {
    const { status, headers } = head;
    headers.set("connection", status === 101 ? "upgrade" : "close");
    if (status === 101) headers.set("upgrade", this.#protocol);
    else headers.remove("trailer");
    this.#socket.write(rawHead(head), "latin1");
  }

  write(chunk: Uint8Array): boolean {
    return this.#tunnel.write(chunk);
  }

  end(_trailers?: HeaderList): void {
    this.#ended = true;
    if (this.#receiver !== undefined) this.#tunnel.end();
    else this.#endPlain();
  }

  closeConnectionAfter(): void {
    // Nothing to do: the connection always closes after an upgrade request.
  }

  reset(): void {
    this.#wasCut = true;
    this.#tunnel.destroy();
  }

  cut(): void {
    this.reset();
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { writableFinished, readableEnded } = this.#socket;
    const isTunnel = this.#receiver !== undefined;
    const delivered = this.#ended && writableFinished && (readableEnded || !isTunnel) && !this.#wasCut;
    const reason = this.#wasCut ? "local-reset" : "connection-termination";
    this.events?.onClose(delivered ? undefined : reason);
    this.#options.onClosed();
  }

  /** Reads and discards further bytes from the client for LINGER_MS, as after an ordinary response. */
  #endPlain(): void {
    this.#socket.end(() => this.close());
    this.#early.length = 0;
    this.#tunnel.resume();
    const cancel = this.#options.scheduler.after(LINGER_MS, () => this.#tunnel.destroy());
    this.#socket.on("close", cancel);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#receiver !== undefined) return this.#receiver.onData(chunk);
    if (this.#ended) return;
    this.#early.push(chunk);
    this.#tunnel.pause();
  }

  #onEnd(): void {
    if (this.#receiver !== undefined) this.#receiver.onEnd(undefined);
    // A client that half-closes before the response gets none, as with node:http.
    else if (!this.#ended) this.#tunnel.destroy();
  }
}
