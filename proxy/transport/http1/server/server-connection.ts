// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { BodyReceiver } from "../../contract/body.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { RefusalReason } from "../../contract/server.ts";
import { MessageWriter } from "../message-writer.ts";
import { BodyReader } from "../messages/body-reader.ts";
import { framingOfLength } from "../messages/framing.ts";
import { HeadReader } from "../messages/head-reader.ts";
import { responseHeadText } from "../messages/head-text.ts";
import { MessageFault } from "../messages/message-fault.ts";
import { parseRequestHead } from "../messages/request-head.ts";
import {
  type ArrivalReader,
  type Finisher,
  finishInTurn,
  MAX_DEFERRED_BYTES,
  readRequestInTurn,
} from "../turn.ts";
import type { AcceptedConnection, ConnectionServer, Secure } from "./accepted-connection.ts";
import { hasTooManyRequests } from "./pipelined-requests.ts";
import { Http1ServerStream, MAX_DISCARDED_BYTES, type StreamConnection } from "./server-stream.ts";
import { TimeLimits } from "./time-limits.ts";

/**
 * What a connection does: reads a request's head; carries a stream; carries a tunnel after an upgrade; discards the
 * rest of a request that was answered; lingers after its last response; is closed.
 */
type Phase = "head" | "stream" | "tunnel" | "discard" | "linger" | "closed";

/**
 * One client's connection: owns the socket, and runs its requests one at a time. Bytes behind the request under way are
 * held, with the socket paused: no more than one read of 64 KiB and the socket's own buffer.
 */
export class ServerConnection implements AcceptedConnection, StreamConnection, ArrivalReader, Finisher {
  readonly facts: ConnectionFacts;
  readonly writer: MessageWriter;
  readonly limits: TimeLimits;
  /** The server of the listener that accepted the connection; undefined without TLS. */
  readonly tlsServer: TlsServer | undefined;
  readonly #socket: Socket;
  /** The socket to reset: the one below TLS. */
  readonly #transport: Socket;
  readonly #secure: Secure | undefined;
  readonly #server: ConnectionServer;
  readonly #heads: HeadReader;
  readonly #body = new BodyReader();
  #phase: Phase = "head";
  #stream: Http1ServerStream | undefined = undefined;
  /** The reader of an upgraded connection. */
  #tunnel: BodyReceiver | undefined = undefined;
  /** Bytes that the turn has not read yet. */
  #arrived: Buffer | undefined = undefined;
  /** Bytes behind the request under way. */
  #held: Buffer | undefined = undefined;
  #heldOffset = 0;
  /** Whether `#read` is under way, further up in the stack. */
  #reading = false;
  /** Whether bytes came behind the last head in the same chunk. */
  #hasBytesBehind = false;
  /** Whether the request's framing broke: nothing more is read from the connection. */
  #broken = false;
  #pausedByStream = false;
  #isPaused = false;
  #wasCut = false;
  /** Whether a request came on the connection. */
  #isUsed = false;
  #discardedBytes = 0;

  constructor(socket: Socket, facts: ConnectionFacts, server: ConnectionServer, secure: Secure | undefined) {
    this.#socket = socket;
    this.#transport = secure?.transport ?? socket;
    this.#secure = secure;
    this.tlsServer = secure?.server;
    this.#server = server;
    this.#heads = new HeadReader(server.maxHeaderBytes);
    this.limits = new TimeLimits(server);
    this.writer = new MessageWriter(socket, secure === undefined ? undefined : this.#onTaken);
    this.facts = facts;
    socket.on("data", (chunk: Buffer) => this.#onArrival(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.#onDrain());
    socket.on("error", ignore);
    socket.on("close", () => this.#onClose());
  }

  get requestComplete(): boolean {
    return this.#body.done;
  }

  get hasBytesBehind(): boolean {
    if (this.#held !== undefined || this.#arrived !== undefined) return true;
    return this.#reading && this.#hasBytesBehind;
  }

  retire(): void {
    this.limits.retire();
  }

  stopsKeepAlive(): boolean {
    return this.limits.isRetired || this.#server.stopsKeepAlive();
  }

  readBody(receiver: BodyReceiver): void {
    if (this.#body.done) {
      receiver.onEnd(undefined);
      return;
    }
    this.#body.receiver = receiver;
    // Within `#read`, its loop goes on with the body.
    if (!this.#reading) this.#readHeld();
  }

  readTunnel(receiver: BodyReceiver): void {
    this.#tunnel = receiver;
    this.#enter("tunnel");
    if (!this.#reading) this.#readHeld();
  }

  pause(): void {
    // After the request's end, reading goes on: it is how the client's departure is noticed.
    if (this.#phase === "stream" && this.#body.done) return;
    this.#pausedByStream = true;
    this.#updateFlow();
  }

  resume(): void {
    this.#pausedByStream = false;
    this.#updateFlow();
  }

  endResponse(): void {
    this.#body.receiver = undefined;
    finishInTurn(this);
  }

  finishWritten(): void {
    // A destroyed socket took nothing of what was flushed: its close ends the stream.
    if (this.#stream?.ended !== true || this.#socket.destroyed) return;
    if (this.writer.isFlushed) this.#finishStream();
    else if (!this.writer.tellsTaken) this.#socket.write("", "latin1", this.#onTaken);
  }

  endTunnel(): void {
    this.writer.flush();
    this.#socket.end();
  }

  cut(visibly: boolean): void {
    this.#wasCut = true;
    // The client sees as much of the response as was sent when it was cut.
    this.writer.flush();
    // Node never reports the close of a socket that is reset while it shuts down (EINVAL).
    if (visibly && !this.#socket.writableEnded) this.#transport.resetAndDestroy();
    else this.#socket.destroy();
  }

  rescale(factor: number): void {
    this.limits.rescale(factor);
  }

  onTick(): void {
    switch (this.#phase) {
      case "head":
        this.#onHeadTick();
        break;
      case "stream":
      case "tunnel":
        this.#onStreamTick();
        break;
      case "discard":
        if (this.limits.isLingerOver) this.#closeGently();
        break;
      case "linger":
        if (this.limits.isLingerOver) this.#socket.destroy();
        break;
      case "closed":
        break;
    }
  }

  #onHeadTick(): void {
    const overdue = this.limits.headOverdue(this.#heads.started);
    if (overdue === undefined) return;
    if (overdue === "headers" && this.#heads.started) {
      return this.#refuse("request_timeout", "The request's headers did not come in time.");
    }
    if (overdue === "drain") this.#server.handler.onConnectionEvent("drain_close");
    this.#closeGently();
  }

  #onStreamTick(): void {
    const taken = this.#socket.bytesWritten - this.#socket.writableLength;
    if (this.limits.isStreamOverdue(taken, this.#body.done)) this.#stream?.events?.onIdle();
  }

  #onArrival(chunk: Buffer): void {
    const before = this.#arrived;
    this.#arrived = before === undefined ? chunk : Buffer.concat([before, chunk]);
    if (this.#arrived.length > MAX_DEFERRED_BYTES) this.readArrived();
    else if (before === undefined) readRequestInTurn(this);
  }

  readArrived(): void {
    const chunk = this.#arrived;
    if (chunk === undefined) return;
    this.#arrived = undefined;
    this.#onData(chunk);
  }

  #onData(chunk: Buffer): void {
    this.limits.onActive();
    if (this.#held !== undefined) {
      this.#held = Buffer.concat([this.#held.subarray(this.#heldOffset), chunk]);
      this.#heldOffset = 0;
      return;
    }
    this.#read(chunk, 0);
    if (this.#held !== undefined && this.#body.done && hasTooManyRequests(this.#held, this.#heldOffset)) {
      this.#socket.destroy();
    }
  }

  /** Reads what was held, as far as the connection can now. */
  #readHeld(): void {
    const held = this.#held;
    if (held === undefined) return this.#updateFlow();
    this.#held = undefined;
    this.#read(held, this.#heldOffset);
  }

  /** Reads from an offset on until the chunk is used up, or its rest must wait. */
  #read(chunk: Buffer, from: number): void {
    // Bytes may wait on a connection that was cut.
    if (this.#socket.destroyed) return;
    this.#reading = true;
    let offset = from;
    while (offset >= 0 && offset < chunk.length) offset = this.#readPart(chunk, offset);
    this.#reading = false;
    this.#updateFlow();
  }

  /** @returns The offset to go on from; -1 to stop. */
  #readPart(chunk: Buffer, offset: number): number {
    switch (this.#phase) {
      case "head":
        return this.#readHead(chunk, offset);
      case "stream":
        if (this.#broken) return -1;
        if (this.#body.done || this.#stream?.isRead !== true) return this.#hold(chunk, offset);
        return this.#readBodyPart(chunk, offset);
      case "discard":
        return this.#readBodyPart(chunk, offset);
      case "tunnel":
        this.#tunnel?.onData(offset === 0 ? chunk : chunk.subarray(offset));
        return -1;
      case "linger":
      case "closed":
        return -1;
    }
  }

  #readHead(chunk: Buffer, offset: number): number {
    const heads = this.#heads;
    const end = heads.read(chunk, offset);
    if (end < 0) {
      if (heads.fault !== undefined) this.#refuse(heads.fault.reason, heads.fault.detail);
      else if (heads.started) this.limits.onPartOfHead();
      return -1;
    }
    const request = parseRequestHead(heads.text, this.#server.upgradeProtocols);
    const isPreface = request instanceof MessageFault && this.#isPrefaceOfHttp2;
    heads.reset();
    if (request instanceof MessageFault) {
      if (isPreface) this.#handOver(chunk, end);
      else this.#refuse(request.reason, request.detail);
      return -1;
    }
    this.#isUsed = true;
    this.#enter("stream");
    this.limits.onHead();
    if (request.framing.kind !== "none") this.#body.begin(request.framing, undefined);
    const stream = new Http1ServerStream(this, request);
    this.#stream = stream;
    this.#hasBytesBehind = end < chunk.length;
    this.#server.handler.onStream(stream);
    return end;
  }

  /** Whether the first head is the beginning of HTTP/2's preface, which no request can be (RFC 9113, section 3.4). */
  get #isPrefaceOfHttp2(): boolean {
    const heads = this.#heads;
    return !this.#isUsed && this.#server.acceptsHttp2 && !heads.hasEmptyLines && heads.text === PREFACE_HEAD;
  }

  /** Gives the socket to HTTP/2, with the preface and the bytes behind it. */
  #handOver(chunk: Buffer, offset: number): void {
    this.#phase = "closed";
    const socket = this.#socket;
    for (const event of SOCKET_EVENTS) socket.removeAllListeners(event);
    const first = Buffer.concat([Buffer.from(PREFACE_HEAD, "latin1"), chunk.subarray(offset)]);
    this.#server.onPreface(this, socket, first, this.#secure);
  }

  #readBodyPart(chunk: Buffer, offset: number): number {
    const end = this.#body.read(chunk, offset);
    const { fault } = this.#body;
    if (end < 0 && fault !== undefined) {
      this.#breakRequest(fault.detail);
      return -1;
    }
    if (this.#phase === "discard") {
      this.#discardedBytes += end - offset;
      if (this.#body.done) this.#awaitNext();
      else if (this.#discardedBytes > MAX_DISCARDED_BYTES) this.#closeGently();
    } else if (this.#body.done && this.#pausedByStream) {
      this.resume();
    }
    return end;
  }

  #breakRequest(detail: string): void {
    this.#broken = true;
    if (this.#phase === "discard") this.#closeGently();
    else if (this.#stream?.ended === false) this.#stream.events?.onMalformed(detail);
  }

  #hold(chunk: Buffer, offset: number): number {
    this.#held = chunk;
    this.#heldOffset = offset;
    return -1;
  }

  readonly #onTaken = (error?: Error | null): void => {
    const isTaken = (error === undefined || error === null) && this.writer.isFlushed;
    if (isTaken && this.#stream?.ended === true) this.#finishStream();
  };

  /** The socket has taken the whole response. */
  #finishStream(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#pausedByStream = false;
    stream.close(undefined);
    if (this.#phase !== "stream") return;
    if (stream.last || this.#broken) {
      this.#closeGently();
    } else if (this.#body.done) {
      this.#awaitNext();
    } else {
      this.#discardedBytes = 0;
      this.#enter("discard");
    }
    if (!this.#reading) this.#readHeld();
  }

  #awaitNext(): void {
    this.#enter("head");
    // The time without a request begins now, however long the response took.
    this.limits.onActive();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.limits.onPhase();
  }

  /** Replies to bytes that are not a request, and closes. */
  #refuse(reason: RefusalReason, detail: string): void {
    const { status, headers, body } = this.#server.handler.onRefused(reason, detail);
    const framing = framingOfLength(body.byteLength);
    this.writer.begin(responseHeadText(status, headers, framing, "close"), framing);
    this.writer.write(body);
    this.writer.end();
    this.#closeGently();
  }

  /**
   * Ends the outgoing direction, and reads and discards what the client still sends (lingering close): a socket that is
   * closed with unread bytes resets the connection, and the client loses the response that it has not read yet.
   */
  #closeGently(): void {
    this.#enter("linger");
    this.#held = undefined;
    this.#pausedByStream = false;
    this.#updateFlow();
    this.writer.flush();
    this.#socket.end();
  }

  #onEnd(): void {
    this.readArrived();
    switch (this.#phase) {
      case "stream":
        // A client that ends its side before the response is taken to be gone, as by node:http, nginx and Envoy.
        if (this.#stream?.ended === true) this.#stream.closeConnectionAfter();
        else this.#socket.destroy();
        break;
      case "tunnel":
        this.#tunnel?.onEnd(undefined);
        break;
      case "head":
      case "discard":
        this.#closeGently();
        break;
      case "linger":
      case "closed":
        break;
    }
  }

  #onDrain(): void {
    if (this.writer.onDrain()) this.#stream?.events?.onWritable();
  }

  #onClose(): void {
    const wasTunnel = this.#phase === "tunnel";
    this.#phase = "closed";
    this.#arrived = undefined;
    this.#held = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) {
      const { readableEnded, writableFinished } = this.#socket;
      const whole = wasTunnel && readableEnded && writableFinished && !this.#wasCut;
      stream.close(whole ? undefined : this.#wasCut ? "local-reset" : "connection-termination");
    }
    this.#server.onClosed(this);
  }

  #updateFlow(): void {
    const pauses = this.#held !== undefined || this.#pausedByStream;
    if (pauses === this.#isPaused) return;
    this.#isPaused = pauses;
    if (pauses) this.#socket.pause();
    else this.#socket.resume();
  }
}

const PREFACE_HEAD = "PRI * HTTP/2.0\r\n\r\n";

const SOCKET_EVENTS = ["data", "end", "drain", "error", "close"] as const;

function ignore(): void {
  // The socket's `close` event follows.
}
