// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";

import type { Scheduler } from "../../../kernel/ports.ts";
import type { BodyReceiver } from "../contract/body.ts";
import type { ConnectionFacts } from "../contract/connection.ts";
import type { RequestHead, ResponseHead } from "../contract/head.ts";
import type { HeaderList } from "../contract/header-list.ts";
import type { ServerStreamEvents } from "../contract/server.ts";
import { fieldPairs } from "./field-pairs.ts";
import type { ConnectionStream } from "./node-http-connection.ts";
import { rawHead } from "./raw-head.ts";
import { requestHeadOf, trailersOf } from "./request-head.ts";

/** The options that a server gives each of its streams. */
export interface StreamOptions {
  readonly connection: ConnectionFacts;
  /** Whether the connection must close after this stream. */
  readonly closing: () => boolean;
  readonly scheduler: Scheduler;
  /** Called after the events' onClose. */
  readonly onClosed: () => void;
}

/**
 * How long the rest of a request is read and discarded after its response (lingering close). Closing at once
 * would reset the connection, and with it a response that the client has not read yet. Envoy's
 * delayed_close_timeout.
 */
export const LINGER_MS = 1_000;

/** One request and its response on a connection of node:http. */
export class NodeHttpStream implements ConnectionStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: StreamOptions;
  #receiver: BodyReceiver | undefined;
  /** Whether the client waits for 100 Continue before it sends the body. */
  #owesContinue: boolean;
  #closesAfter = false;
  #wasCut = false;
  #ended = false;
  #closed = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
    options: StreamOptions,
  ) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.head = requestHeadOf(request);
    this.connection = options.connection;
    this.#owesContinue = expectsContinue && this.head.hasBody;
    request.on("error", ignore);
    response.on("error", ignore);
    response.on("drain", () => this.events?.onWritable());
    response.on("close", () => this.close());
  }

  read(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (this.#owesContinue) {
      this.#owesContinue = false;
      this.#response.writeContinue();
    }
    this.#request.on("data", (chunk: Buffer) => this.#receiver?.onData(chunk));
    this.#request.on("end", () => this.#receiver?.onEnd(trailersOf(this.#request)));
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  sendInformational(head: ResponseHead): void {
    // HTTP/1.0 has no informational responses (RFC 9110, section 15.2). Written to the socket directly, since
    // node:http supports only some of them.
    if (this.head.httpVersion === "1.0" || this.#response.headersSent) return;
    this.#request.socket.write(rawHead(head), "latin1");
  }

  sendHead({ status, headers }: ResponseHead): void {
    // A client that got no 100 Continue may or may not send the body: the next request's start is ambiguous.
    const last = this.#owesContinue || this.#closesAfter || this.#options.closing();
    if (last) headers.set("connection", "close");
    if (headers.has("trailer") && !this.#isChunked(status, headers)) headers.remove("trailer");
    // The phrase is explicit, because node:http keeps the phrase of an earlier head that it refused to write.
    this.#response.writeHead(status, STATUS_CODES[status] ?? "unknown", headers.wire() as string[]);
    if (last) this.#response.shouldKeepAlive = false;
  }

  write(chunk: Uint8Array): boolean {
    return this.#response.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#ended) return;
    this.#ended = true;
    if (trailers !== undefined) this.#response.addTrailers(fieldPairs(trailers));
    if (this.#request.complete || this.#owesContinue || this.#closed) {
      this.#response.end();
      return;
    }
    this.#discardRest();
  }

  closeConnectionAfter(): void {
    this.#closesAfter = true;
  }

  reset(): void {
    this.#wasCut = true;
    this.#request.socket.destroy();
  }

  /** Called when the rest of the request turned out to be malformed. */
  breakRequest(detail: string): void {
    // The reply has been written: only the wait for the request's end is over.
    if (this.#ended) this.#response.end();
    else this.events?.onMalformed(detail);
  }

  cut(): void {
    this.reset();
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const delivered = this.#response.writableFinished || (this.#ended && this.#response.writableLength === 0);
    const reason = this.#wasCut ? "local-reset" : "connection-termination";
    this.events?.onClose(delivered ? undefined : reason);
    this.#options.onClosed();
  }

  /** Whether node:http sends the response chunked: only a chunked response can have trailers. */
  #isChunked(status: number, headers: HeaderList): boolean {
    const hasNoBody = this.head.method === "HEAD" || status === 204 || status === 304;
    return this.head.httpVersion !== "1.0" && !hasNoBody && !headers.has("content-length");
  }

  #discardRest(): void {
    this.#receiver = undefined;
    const keepAlive = this.#response.shouldKeepAlive;
    const cancel = this.#options.scheduler.after(LINGER_MS, () => this.#request.socket.destroy());
    this.#request.on("close", cancel);
    this.#request.on("end", () => {
      cancel();
      this.#response.end();
    });
    this.#request.resume();
    // With keep-alive the response may end now: the rest of this request precedes the next one anyway.
    if (keepAlive) this.#response.end();
  }
}

function ignore(): void {
  // The socket's `close` event follows, whatever the cause.
}
