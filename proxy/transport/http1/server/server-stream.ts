// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../contract/body.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { RequestHead, ResponseHead } from "../../contract/head.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { ResetReason } from "../../contract/reset.ts";
import type { ServerStream, ServerStreamEvents } from "../../contract/server.ts";
import type { MessageWriter } from "../message-writer.ts";
import { NO_BODY, responseFraming, UNTIL_CLOSE } from "../messages/framing.ts";
import { responseHeadText } from "../messages/head-text.ts";
import type { ParsedRequest } from "../messages/request-head.ts";

/**
 * Maximum number of bytes that are read and discarded of a request that was answered before its end, to keep the
 * connection. Discarding more costs more than a new connection.
 */
export const MAX_DISCARDED_BYTES = 64 * 1024;

/** The connection as its stream sees it. */
export interface StreamConnection {
  readonly facts: ConnectionFacts;
  readonly writer: MessageWriter;
  /** Whether the whole request has been read. */
  readonly requestComplete: boolean;
  /** Whether bytes wait that came behind the request's head. */
  readonly hasBytesBehind: boolean;
  /** Asked once for each response: whether the server wants its connection closed after it. */
  stopsKeepAlive(): boolean;
  readBody(receiver: BodyReceiver): void;
  readTunnel(receiver: BodyReceiver): void;
  pause(): void;
  resume(): void;
  /** The response is written. The connection calls the stream's `close` when the socket has taken it. */
  endResponse(): void;
  /** Ends the outgoing direction of a tunnel. */
  endTunnel(): void;
  /** Cuts the connection. `visibly`: the client must not take its end for the end of the response. */
  cut(visibly: boolean): void;
}

/** One request and its response on a connection. */
export class Http1ServerStream implements ServerStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  events: ServerStreamEvents | undefined = undefined;
  readonly #on: StreamConnection;
  readonly #request: ParsedRequest;
  /** Whether the connection ends with this stream. */
  #last: boolean;
  /** Whether the client may still wait for 100 Continue. */
  #owesContinue: boolean;
  #isRead = false;
  #headSent = false;
  #untilClose = false;
  #isTunnel = false;
  #ended = false;
  #closed = false;

  constructor(on: StreamConnection, request: ParsedRequest) {
    this.head = request.head;
    this.connection = on.facts;
    this.#on = on;
    this.#request = request;
    // Bytes behind a CONNECT may be meant for a tunnel that was not made: they are never read as requests.
    this.#last = !request.keepAlive || request.head.method === "CONNECT";
    this.#owesContinue = request.expectsContinue;
  }

  /** Whether the response was handed over as a whole. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the connection ends with this stream. */
  get last(): boolean {
    return this.#last;
  }

  /** Whether the body has a receiver. */
  get isRead(): boolean {
    return this.#isRead;
  }

  read(receiver: BodyReceiver): void {
    if (this.#closed || this.#isRead) return;
    this.#isRead = true;
    if (this.#isTunnel) this.#on.readTunnel(receiver);
    else if (!this.#ended) this.#on.readBody(receiver);
  }

  pause(): void {
    if (!this.#closed) this.#on.pause();
  }

  resume(): void {
    if (!this.#closed) this.#on.resume();
  }

  sendInformational({ status, headers }: ResponseHead): void {
    // HTTP/1.0 has no informational responses (RFC 9110, section 15.2).
    if (this.#closed || this.#headSent || this.head.httpVersion === "1.0") return;
    this.#on.writer.writeHead(responseHeadText(status, headers, NO_BODY));
    if (status === 100) this.#owesContinue = false;
  }

  sendHead({ status, headers }: ResponseHead): void {
    if (this.#closed || this.#headSent) return;
    if (status === 101 && this.head.upgrade !== undefined)
      return this.#sendUpgrade(headers, this.head.upgrade);
    const { method, httpVersion } = this.head;
    const framing = responseFraming(method, httpVersion, status, headers.get("content-length"));
    if (framing.kind !== "chunked" && headers.has("trailer")) headers.remove("trailer");
    this.#untilClose = framing.kind === "until-close";
    if (!this.#last) this.#last = this.#untilClose || this.#mustClose();
    const option = this.#last ? "close" : httpVersion === "1.0" ? "keep-alive" : undefined;
    this.#on.writer.begin(responseHeadText(status, headers, framing, option), framing);
    this.#headSent = true;
  }

  write(chunk: Uint8Array): boolean {
    return this.#closed || this.#on.writer.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    // The body's length differs from the declared one: the client would read the next response as a part of this one.
    if (!this.#on.writer.end(trailers)) this.#on.cut(false);
    else if (this.#isTunnel) this.#on.endTunnel();
    else this.#on.endResponse();
  }

  closeConnectionAfter(): void {
    this.#last = true;
  }

  reset(): void {
    if (!this.#closed) this.#on.cut(this.#untilClose);
  }

  /** Called by the connection at the stream's end. Idempotent. */
  close(reason: ResetReason | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.events?.onClose(reason);
  }

  #sendUpgrade(headers: HeaderList, protocol: string): void {
    headers.remove("upgrade");
    const text = responseHeadText(101, headers, NO_BODY, "upgrade");
    this.#on.writer.begin(`${text.slice(0, -2)}upgrade: ${protocol}\r\n\r\n`, UNTIL_CLOSE);
    this.#headSent = true;
    this.#isTunnel = true;
    this.#last = true;
  }

  /** Whether the connection cannot carry another request after this one. */
  #mustClose(): boolean {
    if (this.#on.stopsKeepAlive()) return true;
    // Bytes of the protocol, sent before it was accepted, could read like a request that the client never made.
    if (this.head.upgrade !== undefined) return this.#on.hasBytesBehind;
    if (this.#on.requestComplete) return false;
    // A client that got no 100 Continue may or may not send the body: the next request's start is ambiguous.
    if (this.#owesContinue) return true;
    return !this.#isRead && this.#request.framing.length > MAX_DISCARDED_BYTES;
  }
}
