// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { BodyReceiver } from "../../contract/body.ts";
import type { ClientSettings } from "../../contract/client.ts";
import type { HeaderList } from "../../contract/header-list.ts";
import type { ResetReason } from "../../contract/reset.ts";
import { connectionErrorText } from "../../tls/client/connection-error-text.ts";
import type { TlsConnector } from "../../tls/client/tls-connector.ts";
import { BodyReader } from "../messages/body-reader.ts";
import { UNTIL_CLOSE } from "../messages/framing.ts";
import { HeadReader } from "../messages/head-reader.ts";
import { MessageFault } from "../messages/message-fault.ts";
import { type ParsedResponse, parseResponseHead } from "../messages/response-head.ts";
import { openSocket } from "../../raw/open-socket.ts";
import { MessageWriter } from "../message-writer.ts";
import { type ArrivalReader, MAX_DEFERRED_BYTES, readResponseInTurn } from "../turn.ts";
import type { ConnectionOwner, PooledConnection } from "./pooled.ts";
import { readAfterFailedWrite } from "./failed-write.ts";
import { keepAliveMsOf } from "./keep-alive-hint.ts";
import type { RequestCarrier, RequestStream } from "./request-stream.ts";

type ConnectionSettings = Pick<
  ClientSettings,
  "host" | "port" | "tcpKeepaliveTimeMs" | "maxHeaderBytes" | "proxyProtocol" | "proxiedEnds"
>;

/** They have no back-pressure: an upstream that sends them without end would fill the memory of a slow client's proxy. */
const MAX_INFORMATIONAL = 100;

/** The part of the response that the connection reads. */
type Phase = "head" | "body" | "tunnel";

/**
 * One connection to an upstream. It carries one request at a time; its listeners and readers serve all of its
 * requests, so that a request allocates none.
 */
export class UpstreamConnection
  implements PooledConnection<RequestStream>, RequestCarrier, BodyReceiver, ArrivalReader
{
  previous: PooledConnection<RequestStream> | undefined = undefined;
  next: PooledConnection<RequestStream> | undefined = undefined;
  isListed = false;
  deadlineMs = Infinity;
  retireAtMs = Infinity;
  isConnecting = true;
  freeAtReads = Number.NEGATIVE_INFINITY;
  requests = 0;
  keepAliveMs = Infinity;

  readonly #owner: ConnectionOwner<RequestStream>;
  readonly #socket: Socket;
  readonly #writer: MessageWriter;
  readonly #heads: HeadReader;
  readonly #body = new BodyReader();
  #stream: RequestStream | undefined = undefined;
  #phase: Phase = "head";
  /** Whether a byte of the current response has come. */
  #hasResponse = false;
  /** Number of informational responses to the current request. */
  #informational = 0;
  /** Whether the beginning of the current request was written without an error. */
  #isBegun = false;
  /** Whether the request was handed to the socket as a whole. */
  #isSent = false;
  #keepAlive = false;
  #trailers: HeaderList | undefined = undefined;
  #isPaused = false;
  #bodyBuffer: Uint8Array | undefined = undefined;
  #isClosed = false;
  /** Bytes that the turn has not read yet. */
  #arrived: Buffer | undefined = undefined;

  /** @param connector Opens connections with TLS; undefined for plain text. */
  constructor(
    settings: ConnectionSettings,
    connector: TlsConnector | undefined,
    owner: ConnectionOwner<RequestStream>,
  ) {
    this.#owner = owner;
    this.#heads = new HeadReader(settings.maxHeaderBytes, "response");
    const options = {
      // An upgraded connection may be closed in one direction only.
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#nextBuffer(),
        callback: (length: number, buffer: Uint8Array) => this.#onRead(length, buffer),
      },
    };
    this.#socket = openSocket(settings, connector, options);
    readAfterFailedWrite(this.#socket, () => this.#isBegun);
    this.#writer = new MessageWriter(this.#socket);
    this.#listen(this.#socket, connector !== undefined);
  }

  send(stream: RequestStream): void {
    this.requests++;
    this.#stream = stream;
    this.#phase = "head";
    this.#hasResponse = false;
    this.#informational = 0;
    this.#isBegun = false;
    this.#isSent = stream.isHeadOnly;
    if (this.#isSent) this.#writer.writeHead(stream.headText);
    else this.#writer.begin(stream.headText, stream.framing);
    stream.startOn(this);
  }

  write(chunk: Uint8Array): boolean {
    const isWritable = this.#writer.write(chunk);
    // A write that fails at once, on a connection that was reset before the request, is known here in plain text.
    this.#isBegun ||= !this.#writer.holdsHead && this.#socket.errored === null;
    return isWritable;
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#writer.end(trailers)) this.#isSent = true;
    // The upstream would wait for the rest, or read the next request as a part of this one.
    else this.#fail("local-reset", "the request's body did not have its declared length");
  }

  endTunnel(): void {
    if (this.#phase !== "tunnel") return;
    this.#writer.flush();
    this.#socket.end();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Closes the connection: the cancelled request's response would be taken for the next request's. */
  abandon(): void {
    this.#stream = undefined;
    this.#closeAndReport();
  }

  close(): void {
    this.#isClosed = true;
    this.#arrived = undefined;
    this.#socket.destroy();
  }

  cut(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.close();
    stream?.refuse("connection-termination", "the connections were cut");
  }

  onData(chunk: Uint8Array): void {
    this.#stream?.receiver.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#trailers = trailers;
  }

  /** The listeners are arrow functions of the connection, made once for all of its requests. */
  #listen(socket: Socket, isSecure: boolean): void {
    socket.on(isSecure ? "secureConnect" : "connect", () => this.#onConnect());
    socket.on("end", () => this.#onFin());
    socket.on("drain", () => this.#onDrain());
    socket.on("error", (error) => this.#onBroken(connectionErrorText(error, isSecure)));
    socket.on("close", () => this.#onBroken("the connection was closed"));
  }

  #onConnect(): void {
    if (!this.#isClosed) this.#owner.onConnected(this);
  }

  /** The memory of the next read: shared by all connections, but for bodies, which are handed on without a copy. */
  #nextBuffer(): Uint8Array {
    if (this.#phase !== "body" && this.#phase !== "tunnel") return SHARED;
    return (this.#bodyBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES));
  }

  /** Copies few bytes: a buffer of 64 KiB would be held for them, and Node's own for each read takes 1 µs more. */
  #onRead(length: number, buffer: Uint8Array): boolean {
    const bytes = Buffer.from(buffer.buffer, 0, length);
    const handsOver = buffer !== SHARED && length > MAX_COPIED_BYTES;
    if (handsOver) this.#bodyBuffer = undefined;
    this.#onArrival(handsOver ? bytes : Buffer.from(bytes));
    return true;
  }

  #onArrival(chunk: Buffer): void {
    if (this.#isClosed) return;
    // Such bytes answer no request: they would be taken for the response to the next one.
    if (this.#stream === undefined || (!this.#hasResponse && this.#writer.holdsHead)) {
      return this.#fail("connection-termination", "the upstream sent bytes before it got the request");
    }
    const before = this.#arrived;
    // Joined, so that bytes behind a response are seen before its connection is given to the next request.
    this.#arrived = before === undefined ? chunk : Buffer.concat([before, chunk]);
    if (this.#arrived.length > MAX_DEFERRED_BYTES) this.readArrived();
    else if (before === undefined) readResponseInTurn(this);
  }

  readArrived(): void {
    const chunk = this.#arrived;
    if (chunk === undefined) return;
    this.#arrived = undefined;
    this.#onBytes(chunk);
  }

  #onBytes(chunk: Buffer): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#phase === "tunnel") return stream.receiver.onData(chunk);
    this.#hasResponse = true;
    let offset = 0;
    do {
      offset = this.#phase === "body" ? this.#readBody(chunk, offset) : this.#readHead(stream, chunk, offset);
      // The receiver may have cancelled the request.
      if (offset < 0 || this.#stream !== stream) return;
      if (this.#phase === "body" && this.#body.done) return this.#complete(stream, offset < chunk.length);
    } while (offset < chunk.length);
  }

  /** Returns the offset after the head; -1 when there is none, or it is not acceptable. */
  #readHead(stream: RequestStream, chunk: Buffer, from: number): number {
    const offset = this.#heads.read(chunk, from);
    if (offset < 0) {
      if (this.#heads.fault !== undefined) this.#fail("protocol-error", this.#heads.fault.detail);
      return -1;
    }
    const response = parseResponseHead(this.#heads.text, stream.method);
    this.#heads.reset();
    if (response instanceof MessageFault) {
      this.#fail("protocol-error", response.detail);
      return -1;
    }
    const { status } = response.head;
    if (status === 101) return this.#startTunnel(stream, response, chunk, offset);
    if (status >= 200) this.#beginBody(stream, response);
    else if (++this.#informational <= MAX_INFORMATIONAL) stream.receiver.onInformational(response.head);
    else this.#fail("protocol-error", `more than ${MAX_INFORMATIONAL} informational responses`);
    return offset;
  }

  #beginBody(stream: RequestStream, response: ParsedResponse): void {
    this.#keepAlive = response.keepAlive;
    // Servers say the same with each response, so the first one is enough.
    if (this.requests === 1) this.keepAliveMs = keepAliveMsOf(response.head.headers.get("keep-alive"));
    this.#phase = "body";
    this.#trailers = undefined;
    stream.receiver.onHead(response.head);
    if (this.#stream === stream) this.#body.begin(response.framing, this);
  }

  #readBody(chunk: Buffer, from: number): number {
    const offset = this.#body.read(chunk, from);
    if (offset < 0) this.#fail("protocol-error", this.#body.fault?.detail ?? "the body is malformed");
    return offset;
  }

  #startTunnel(stream: RequestStream, response: ParsedResponse, chunk: Buffer, offset: number): number {
    if (stream.upgrade === undefined) {
      this.#fail("protocol-error", "the upstream switched protocols without being asked to");
      return -1;
    }
    this.#phase = "tunnel";
    this.#writer.begin("", UNTIL_CLOSE);
    stream.receiver.onHead(response.head);
    if (offset < chunk.length && this.#stream === stream) stream.receiver.onData(chunk.subarray(offset));
    return chunk.length;
  }

  /** The response is complete. */
  #complete(stream: RequestStream, hasLeftover: boolean): void {
    this.#stream = undefined;
    stream.finish();
    if (this.#isPaused) this.resume();
    // With the request not fully sent, the upstream may read the next request as the rest of this one.
    const isSent = this.#isSent && this.#writer.isFlushed;
    // The response may be read when the connection's end is known already.
    const isReusable = this.#keepAlive && !hasLeftover && this.#socket.readable;
    // The connection is free before the receiver hears of the end, so that the client's next request can use it.
    if (isSent && isReusable) this.#owner.onReleased(this);
    else this.#closeAndReport();
    stream.receiver.onEnd(this.#trailers);
  }

  /** The upstream closed its direction. */
  #onFin(): void {
    this.readArrived();
    const stream = this.#stream;
    // The end of a connection whose handshake is under way is an error of Node's too.
    if (this.#isClosed || this.isConnecting) return;
    if (stream === undefined) return this.#closeAndReport();
    if (this.#phase === "tunnel") return stream.receiver.onEnd(undefined);
    if (this.#phase === "body" && this.#body.finish()) {
      this.#keepAlive = false;
      return this.#complete(stream, false);
    }
    this.#fail("connection-termination", "the upstream closed the connection");
  }

  #onDrain(): void {
    if (this.#writer.onDrain()) this.#stream?.receiver.onWritable();
  }

  /** The connection is gone, or could not be made. */
  #onBroken(detail: string): void {
    this.readArrived();
    if (this.#isClosed) return;
    if (this.isConnecting) {
      this.close();
      this.#owner.onConnectFailed(this, detail);
    } else if (this.#phase === "tunnel" && this.#socket.readableEnded && this.#socket.writableFinished) {
      this.#stream?.finish();
      this.#stream = undefined;
      this.#closeAndReport();
    } else {
      this.#fail("connection-termination", detail);
    }
  }

  #fail(reason: ResetReason, detail: string): void {
    const stream = this.#stream;
    this.#stream = undefined;
    const connectionReused = this.requests > 1 && !this.#hasResponse;
    if (connectionReused && stream !== undefined) this.#owner.onStale();
    this.#closeAndReport();
    if (stream === undefined) return;
    stream.finish();
    stream.receiver.onReset({ reason, connectionReused, detail });
  }

  #closeAndReport(): void {
    this.close();
    this.#owner.onClosed(this);
  }
}

const READ_BYTES = 64 * 1024;

/** From this size on, a copy takes longer than new memory for the next read. */
const MAX_COPIED_BYTES = 16 * 1024;

const SHARED = Buffer.allocUnsafeSlow(READ_BYTES);
