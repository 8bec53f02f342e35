// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";

import type { Scheduler } from "../../kernel/ports.ts";
import type { ResponseHead } from "../pipeline/exchange.ts";
import { RequestBody } from "../transport/http1/request-body.ts";

/** What may happen on the client's side while a request is under way. */
interface DownstreamEvents {
  /** The response is out, or the connection gone. The last call of all. */
  onClose(): void;
  /** Nothing has moved on the connection for the idle limit. */
  onIdle(): void;
  /** The rest of the request is not HTTP. */
  onMalformed(detail: string): void;
}

/**
 * How long the rest of a request is read and thrown away after its response. Closing at once would reset the connection,
 * and with it a response that the client has not read yet. Envoy's delayed_close_timeout.
 */
const LINGER_MS = 1_000;

/** The client's side of one exchange: the request's body in, the response out. */
export class Downstream {
  /** Whether the request has a body, by its framing. */
  readonly hasBody: boolean;
  events: DownstreamEvents | undefined;
  responseBytes = 0;
  /** Whether this side ended the exchange before it was finished. */
  wasCut = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #scheduler: Scheduler;
  /** Whether the connection is to end with this exchange. */
  #closing: () => boolean;
  readonly #onClosed: () => void;
  /** The client waits for 100 Continue before it sends the body. */
  #owesContinue: boolean;
  #body: RequestBody | undefined;
  #bufferedBytes = 0;
  #ended = false;
  #closed = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: {
      readonly expectsContinue: boolean;
      readonly closing: () => boolean;
      readonly scheduler: Scheduler;
      /** Called after the events' onClose. */
      readonly onClosed: () => void;
    },
  ) {
    this.#request = request;
    this.#response = response;
    this.#scheduler = options.scheduler;
    this.#closing = options.closing;
    this.hasBody =
      request.headers["transfer-encoding"] !== undefined ||
      Number(request.headers["content-length"] ?? 0) > 0;
    this.#owesContinue = options.expectsContinue && this.hasBody;
    this.#onClosed = options.onClosed;
    request.on("error", ignore);
    response.on("error", ignore);
    response.on("close", () => this.close());
  }

  /** Whether the whole response was handed to the connection. */
  get delivered(): boolean {
    return this.#response.writableFinished || (this.#ended && this.#response.writableLength === 0);
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  /** How much of the request's body has come so far. */
  get requestBytes(): number {
    return this.#body?.receivedBytes ?? this.#bufferedBytes;
  }

  /** The body as a stream with back-pressure. Once at most, and not with `readBody`. */
  streamBody(): RequestBody {
    this.#sayContinue();
    this.#body = new RequestBody(this.#request);
    return this.#body;
  }

  /** The whole body, for requests whose declared length is small. Never calls back when the client goes away. */
  readBody(onBody: (body: Buffer) => void): void {
    this.#sayContinue();
    const chunks: Buffer[] = [];
    this.#request.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      this.#bufferedBytes += chunk.byteLength;
    });
    this.#request.on("end", () => onBody(Buffer.concat(chunks)));
  }

  /** Calls back when the whole request has come: at once when it has no body. */
  onceReceived(callback: () => void): void {
    if (this.hasBody) this.#request.on("end", callback);
    else callback();
  }

  onDrain(callback: () => void): void {
    this.#response.on("drain", callback);
  }

  sendHead(head: ResponseHead): void {
    // A client that was not told to go on may send the body or not; what comes next on the connection is anyone's guess.
    const last = this.#owesContinue || this.#closing();
    if (last) head.headers.set("connection", "close");
    // With the phrase, because Node keeps that of an earlier head that it refused to write.
    this.#response.writeHead(
      head.status,
      STATUS_CODES[head.status] ?? "unknown",
      head.headers.flat() as string[],
    );
    if (last) this.#response.shouldKeepAlive = false;
  }

  /** False when the client reads slower than this comes: wait for the drain. */
  write(chunk: Buffer): boolean {
    this.responseBytes += chunk.byteLength;
    return this.#response.write(chunk);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#request.complete || this.#owesContinue || this.#closed) {
      this.#response.end();
      return;
    }
    this.#discardRest();
  }

  /** No further request can be read from this connection. */
  closeAfter(): void {
    this.#closing = () => true;
  }

  /** Called when the rest of the request turns out not to be HTTP. */
  breakRequest(detail: string): void {
    // With the reply written already, only the wait for the request's end is over.
    if (this.#ended) this.#response.end();
    else this.events?.onMalformed(detail);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#request.socket.destroy();
  }

  /** Ends the exchange although it is not finished: the listener has no more time for it. */
  cut(): void {
    this.wasCut = true;
    this.destroy();
    this.close();
  }

  /** The response is out or the connection gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.events?.onClose();
    this.#onClosed();
  }

  #sayContinue(): void {
    if (!this.#owesContinue) return;
    this.#owesContinue = false;
    this.#response.writeContinue();
  }

  #discardRest(): void {
    this.#body?.destroy();
    const keepAlive = this.#response.shouldKeepAlive;
    const cancel = this.#scheduler.after(LINGER_MS, () => this.#request.socket.destroy());
    this.#request.on("close", cancel);
    this.#request.on("end", () => {
      cancel();
      this.#response.end();
    });
    this.#request.resume();
    // When the connection goes on, the response may end now: the next request comes after the rest of this one anyway.
    if (keepAlive) this.#response.end();
  }
}

function ignore(): void {
  // The end of the connection is told by `close`, whatever caused it.
}
