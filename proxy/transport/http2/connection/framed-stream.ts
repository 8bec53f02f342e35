// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../contract/header-list.ts";
import { type Finisher, finishInTurn } from "../../http1/turn.ts";
import { CODE, MAX_FRAME_BYTES, STREAM_WINDOW_BYTES } from "../constants.ts";
import { HeldParts } from "./held-parts.ts";
import type { ListedStream, StreamEnd, StreamEvents, StreamHost } from "./stream-host.ts";

const NO_FIELDS: readonly string[] = [];

/**
 * One stream (RFC 9113, section 5) on either side: its state, its two flow-control windows, and the bytes that wait in both
 * directions. The connection calls `receive…` with the peer's frames.
 */
export class FramedStream implements Finisher, ListedStream {
  readonly id: number;
  /** Must be set before the stream's first event. */
  events: StreamEvents = NO_EVENTS;
  /** Whether the peer's head is still to come: a client's stream before its response. */
  awaitsHead: boolean;
  /** Whether the exchange is over when this side has ended: a server's stream, other than a tunnel. */
  endsWithLocal: boolean;
  /** Bytes of the declared body that are still to come; undefined when the length is not declared. */
  expectedBytes: number | undefined = undefined;
  /** Bytes of bodies that were sent. */
  sentBytes = 0;
  /** Bytes that the peer takes. */
  sendWindow: number;
  /** Bytes that the peer may send. */
  receiveWindow = STREAM_WINDOW_BYTES;
  /** Whether the peer has ended its side. */
  isRemoteEnded = false;
  /** Whether this side's last frame is written. */
  isLocalEnded = false;
  isClosed = false;
  /** The fields of the connection's list. */
  previous: ListedStream | undefined = undefined;
  next: ListedStream | undefined = undefined;
  isListed = false;
  readonly #host: StreamHost;
  #isPaused = true;
  #held: HeldParts | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  /** Whether `onEnd` was called. */
  #isEndTold = false;
  /** Bytes that the receiver took and the peer was not told of. */
  #consumedBytes = 0;
  /** Bytes to send, in order. */
  #queue: Uint8Array[] | undefined = undefined;
  /** Bytes of the queue's first part that were sent. */
  #queueOffset = 0;
  #isEnding = false;
  #lastFields: readonly string[] = NO_FIELDS;
  #lastNeverIndexed: ReadonlySet<string> | undefined = undefined;
  /** Whether `onWritable` is owed. */
  #isBlocked = false;
  /** The end that is told in the finishing stage of the turn. */
  #end: StreamEnd | undefined = undefined;
  #endCode: number = CODE.noError;

  /**
   * @param isServer Whether the peer is a client, whose head has come.
   * @param sendWindow The peer's SETTINGS_INITIAL_WINDOW_SIZE.
   */
  constructor(host: StreamHost, id: number, isServer: boolean, sendWindow: number) {
    this.#host = host;
    this.id = id;
    this.awaitsHead = !isServer;
    this.endsWithLocal = isServer;
    this.sendWindow = sendWindow;
  }

  /**
   * Sends a head.
   *
   * @param fields Name, value, name, value …, which can be sent: see `HeaderList.sendable`.
   * @param neverIndexed See `HeaderList.neverIndexed`.
   */
  sendHead(
    pseudo: readonly string[],
    fields: readonly string[],
    endsStream: boolean,
    neverIndexed?: ReadonlySet<string>,
  ): void {
    if (this.isClosed || this.isLocalEnded) return;
    this.#host.writer.headers(this.id, pseudo, fields, endsStream, this.#host.encoder, neverIndexed);
    if (endsStream) this.#onLocalEnd();
  }

  /** @returns False when the caller should wait for `onWritable`. */
  write(chunk: Uint8Array): boolean {
    const size = chunk.byteLength;
    if (size === 0 || this.isClosed || this.#isEnding) return true;
    if (this.#queue === undefined) {
      const sent = this.#send(chunk, 0, size);
      if (sent === size) {
        if (this.#host.canWrite) return true;
      } else {
        this.#queue = [chunk];
        this.#queueOffset = sent;
      }
    } else {
      this.#queue.push(chunk);
    }
    this.#isBlocked = true;
    this.#list();
    return false;
  }

  /** Ends this side behind the bytes that wait. `trailers` is as `sendHead`'s `fields`. */
  end(trailers: readonly string[] = NO_FIELDS, neverIndexed?: ReadonlySet<string>): void {
    if (this.isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.#lastFields = trailers;
    this.#lastNeverIndexed = neverIndexed;
    if (this.#queue === undefined) this.#sendEnd();
  }

  /** Ends the stream at once; `onClose` follows in this turn. */
  reset(code: number): void {
    if (this.isClosed) return;
    this.#host.writer.reset(this.id, code);
    this.#leave("local-reset", code);
    finishInTurn(this);
  }

  /** Holds what comes from now on. The peer may send a window of 64 KiB. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#deliver();
  }

  receiveData(part: Buffer): void {
    if (this.expectedBytes !== undefined) {
      this.expectedBytes -= part.length;
      if (this.expectedBytes < 0) return this.fail(CODE.protocolError);
    }
    if (this.#isPaused || this.#held !== undefined) {
      (this.#held ??= new HeldParts()).add(part);
      this.#host.onHeld(1);
      return;
    }
    this.consume(part.length);
    this.events.onData(part);
  }

  receiveEnd(trailers: HeaderList | undefined): void {
    if (this.expectedBytes !== undefined && this.expectedBytes !== 0) return this.fail(CODE.protocolError);
    this.isRemoteEnded = true;
    this.#trailers = trailers;
    if (!this.#isPaused && this.#held === undefined) this.#tellEnd();
  }

  /** The peer broke a rule on this stream. */
  fail(code: number): void {
    if (this.isClosed) return;
    this.#host.writer.reset(this.id, code);
    this.close("peer-fault", code);
  }

  /** The peer, which has ended its side, takes nothing more. What it sent is delivered in full (RFC 9113, section 8.1). */
  stopSending(): void {
    this.#queue = undefined;
    this.isLocalEnded = true;
    this.#isEnding = true;
    this.#isBlocked = false;
    if (this.#isEndTold) this.close("complete", CODE.noError);
  }

  /** Ends the stream without a frame. */
  close(end: StreamEnd, code: number): void {
    if (this.isClosed) return;
    this.#leave(end, code);
    this.finishWritten();
  }

  /** The receiver took bytes, or they were padding: the peer may send as many again, told when they are half of the window. */
  consume(bytes: number): void {
    this.#host.onConsumed(bytes);
    if (this.isRemoteEnded || this.isClosed) return;
    this.#consumedBytes += bytes;
    if (this.#consumedBytes * 2 < STREAM_WINDOW_BYTES) return;
    this.receiveWindow += this.#consumedBytes;
    this.#host.writer.windowUpdate(this.id, this.#consumedBytes);
    this.#consumedBytes = 0;
  }

  /** The window was changed, and bytes may wait for it. */
  onWindow(): void {
    if (this.#queue !== undefined && this.sendWindow > 0) this.#list();
  }

  /** Called when the stream is first in the list: sends one frame at most, so that the streams take turns. */
  sendInTurn(): void {
    const queue = this.#queue;
    if (queue !== undefined) {
      const first = queue[0] as Uint8Array;
      const from = this.#queueOffset;
      const sent = this.#send(first, from, Math.min(first.byteLength, from + MAX_FRAME_BYTES));
      this.#queueOffset = sent;
      if (sent === first.byteLength) {
        queue.shift();
        this.#queueOffset = 0;
      }
      // Without a window, `onWindow` lists the stream again.
      if (queue.length > 0) return sent > from && this.sendWindow > 0 ? this.#list() : undefined;
      this.#queue = undefined;
      if (this.#isEnding) return this.#sendEnd();
    }
    if (!this.#isBlocked || this.isClosed) return;
    this.#isBlocked = false;
    this.events.onWritable();
  }

  /** The finishing stage of the turn in which this side ended, or was reset. */
  finishWritten(): void {
    const end = this.#end;
    if (end !== undefined) {
      this.#end = undefined;
      this.events.onClose(end, this.#endCode);
    } else if (!this.isClosed && this.isLocalEnded && this.#host.isOpen) {
      this.#finish();
    }
  }

  #finish(): void {
    if (this.endsWithLocal) {
      // The client is told not to send the rest of its request (RFC 9113, section 8.1).
      if (!this.isRemoteEnded) this.#host.writer.reset(this.id, CODE.noError);
      this.close("complete", CODE.noError);
    } else if (this.#isEndTold) {
      this.close("complete", CODE.noError);
    }
  }

  #leave(end: StreamEnd, code: number): void {
    this.isClosed = true;
    this.#end = end;
    this.#endCode = code;
    this.#queue = undefined;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      this.#host.onHeld(-held.count);
      this.#host.onConsumed(held.bytes);
    }
    this.#host.onStreamClosed(this, end);
  }

  #deliver(): void {
    const held = this.#held;
    if (held !== undefined) {
      while (!this.#isPaused) {
        const part = held.shift();
        if (part === undefined) break;
        this.consume(part.length);
        this.events.onData(part);
        if (this.isClosed) return;
      }
      if (!held.isEmpty) return;
      // A call from within `onData` may have delivered the rest.
      if (this.#held === held) {
        this.#host.onHeld(-held.count);
        this.#held = undefined;
      }
    }
    if (this.isRemoteEnded && !this.#isPaused) this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#isEndTold || this.isClosed) return;
    this.#isEndTold = true;
    this.events.onEnd(this.#trailers);
    if (this.isLocalEnded && !this.isClosed && !this.endsWithLocal) this.close("complete", CODE.noError);
  }

  #list(): void {
    if (!this.isListed) this.#host.await(this);
  }

  /** Sends `chunk` from `from` on as far as the windows and `to` allow. Returns where it stopped. */
  #send(chunk: Uint8Array, from: number, to: number): number {
    const host = this.#host;
    if (!host.canWrite) return from;
    const size = Math.min(to - from, this.sendWindow, host.sendWindow);
    if (size <= 0) return from;
    this.sendWindow -= size;
    host.sendWindow -= size;
    this.sentBytes += size;
    host.writer.data(this.id, chunk, from, from + size);
    host.onDataSent();
    return from + size;
  }

  #sendEnd(): void {
    const { writer, encoder } = this.#host;
    const last = this.#lastFields;
    if (last.length > 0) writer.headers(this.id, NO_FIELDS, last, true, encoder, this.#lastNeverIndexed);
    else writer.endStream(this.id);
    this.#onLocalEnd();
  }

  #onLocalEnd(): void {
    this.isLocalEnded = true;
    this.#isEnding = true;
    this.#isBlocked = false;
    finishInTurn(this);
  }
}

const NO_EVENTS: StreamEvents = {
  onHead() {},
  onData() {},
  onEnd() {},
  onWritable() {},
  onClose() {},
};
