// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

import { FRAME, FLAG, PREFACE } from "../constants.ts";
import { FrameBudget } from "./frame-budget.ts";
import { type FrameReceiver, FrameScanner } from "./frame-scanner.ts";

/** Receives what the guard sees of a client's frames. */
export interface GuardEvents {
  /** A head begins with its first frame, and ends with the last byte of its last one. */
  onHeadBegin(): void;
  onHeadEnd(): void;
  /** A DATA frame with a payload begins. */
  onDataFrame(streamId: number): void;
  /** The proxy ended a stream in its direction. */
  onEndSent(streamId: number): void;
  /** The proxy sent a GOAWAY, which may be nghttp2's after a fault of the client. */
  onGoawaySent(): void;
  /** The client passed a limit: no further byte of it is handed on. */
  onFlood(): void;
}

/**
 * A client's socket in front of node:http2. Node shows an application neither the frames that it answers by itself nor a
 * head that is not complete, so they are counted here, before Node spends memory or time on them.
 */
export class GuardedSocket extends Duplex implements FrameReceiver {
  readonly #socket: Socket;
  readonly #events: GuardEvents;
  readonly #budget: FrameBudget;
  readonly #inbound: FrameScanner;
  readonly #outbound: FrameScanner;
  #isFlooded = false;

  /**
   * @param first Bytes that were read from the socket already.
   * @param maxHeaderBytes Maximum size of a compressed header block, in bytes.
   */
  constructor(socket: Socket, first: Buffer, maxHeaderBytes: number, events: GuardEvents) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#events = events;
    this.#budget = new FrameBudget(maxHeaderBytes);
    this.#inbound = new FrameScanner(this, PREFACE.length);
    this.#outbound = new FrameScanner(new SentFrames(this.#budget, events), 0);
    socket.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    socket.on("end", () => void this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    if (first.length > 0) this.#onBytes(first);
  }

  onFrame(type: number, flags: number, streamId: number, length: number): void {
    if (this.#isFlooded) return;
    if (this.#budget.onFrame(type, flags, length) !== undefined) {
      this.#isFlooded = true;
      this.#events.onFlood();
    } else if (type === FRAME.data && length > 0) {
      this.#events.onDataFrame(streamId);
    } else if (type === FRAME.headers) {
      this.#events.onHeadBegin();
    }
  }

  onFrameEnd(type: number, flags: number): void {
    const isHead = type === FRAME.headers || type === FRAME.continuation;
    if (isHead && (flags & FLAG.endHeaders) !== 0) this.#events.onHeadEnd();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#outbound.scan(chunk);
    this.#socket.write(chunk, done);
  }

  /** Frames that Node writes in one turn are one call of the operating system. */
  override _writev(parts: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    parts.forEach(({ chunk }, index) => {
      this.#outbound.scan(chunk);
      this.#socket.write(chunk, index === parts.length - 1 ? done : undefined);
    });
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Lingering close: a socket that is closed with unread bytes resets the connection, and the client loses the GOAWAY.
    this.#socket.end();
    this.#socket.resume();
    done(error);
  }

  #onBytes(chunk: Buffer): void {
    if (this.#isFlooded || this.destroyed) return;
    this.#inbound.scan(chunk);
    if (!this.#isFlooded && !this.push(chunk)) this.#socket.pause();
  }
}

/** Reads the frames that the proxy sends. */
class SentFrames implements FrameReceiver {
  readonly #budget: FrameBudget;
  readonly #events: GuardEvents;

  constructor(budget: FrameBudget, events: GuardEvents) {
    this.#budget = budget;
    this.#events = events;
  }

  onFrame(type: number, flags: number, streamId: number): void {
    if (type === FRAME.data) this.#budget.onDataSent();
    if (type === FRAME.goaway) this.#events.onGoawaySent();
    const mayEnd = type === FRAME.data || type === FRAME.headers;
    if (mayEnd && (flags & FLAG.endStream) !== 0) this.#events.onEndSent(streamId);
  }
  onFrameEnd(): void {}
}
