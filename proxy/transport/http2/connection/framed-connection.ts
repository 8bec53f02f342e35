// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import {
  type ArrivalReader,
  MAX_DEFERRED_BYTES,
  readRequestInTurn,
  readResponseInTurn,
} from "../../http1/turn.ts";
import {
  CODE,
  CONNECTION_WINDOW_BYTES,
  FRAME,
  INITIAL_WINDOW_BYTES,
  LAST_STREAM_ID,
  MAX_WINDOW_BYTES,
  PREFACE,
} from "../constants.ts";
import { FieldCollector } from "../fields/field-collector.ts";
import { FrameReader } from "../frames/frame-reader.ts";
import type { FrameReceiver } from "../frames/frame-receiver.ts";
import { FrameWriter } from "../frames/frame-writer.ts";
import { HpackDecoder } from "../hpack/hpack-decoder.ts";
import { HpackEncoder } from "../hpack/hpack-encoder.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-events.ts";
import { FrameBudget } from "./frame-budget.ts";
import { FramedStream } from "./framed-stream.ts";
import { PastStreams } from "./past-streams.ts";
import { PeerSettings } from "./peer-settings.ts";
import { SendTurns } from "./send-turns.ts";
import { StreamTable } from "./stream-table.ts";
import type { StreamEnd, StreamHost } from "./stream-host.ts";

/**
 * Parts of bodies on a connection that wait to be handed on. Each takes some 200 bytes besides its content while it is handled,
 * so that a peer with many small frames costs 2 MB at most.
 */
const MAX_HELD_PARTS = 10_000;

/** Unsent bytes from which on streams hold their DATA; the number of HTTP/1.1's `MAX_BACKLOG_BYTES`. */
const MAX_BACKLOG_BYTES = 64 * 1024;

/**
 * Unsent bytes from which on nothing is read: heads and answers, which have no flow control, of a peer that does not read. Large
 * enough that two proxies never stop each other by their DATA.
 */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Entries of a SETTINGS frame; nghttp2's limit. */
const MAX_SETTINGS_BYTES = 32 * 6;

/** A connection of HTTP/2 on a socket (RFC 9113), on either side: frames, settings, flow control, and the table of streams. */
export class FramedConnection implements FrameReceiver, StreamHost, ArrivalReader {
  readonly writer: FrameWriter;
  readonly encoder = new HpackEncoder();
  readonly peer: PeerSettings;
  /** Whether frames are read and written. */
  isOpen = true;
  sendWindow = INITIAL_WINDOW_BYTES;
  /** Whether the peer has acknowledged this side's SETTINGS. */
  isSettled = false;
  /** Number of heads that have begun: see `isWithinHead`. */
  headsBegun = 0;
  /** Whether the peer's SETTINGS have come. */
  hasSettings = false;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder();
  readonly #fields: FieldCollector;
  readonly #budget: FrameBudget;
  readonly #streams = new StreamTable<FramedStream>();
  readonly #past = new PastStreams();
  readonly #turns = new SendTurns();
  /** Bytes that have arrived and are not read. */
  #arrived: Buffer | undefined = undefined;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  #consumedBytes = 0;
  #heldParts = 0;
  /** The stream of the DATA frame under way. */
  #dataStream: FramedStream | undefined = undefined;
  /** Bytes of that frame that are padding, as far as is known. */
  #paddingBytes = 0;
  /** The last stream that the peer has opened. */
  #lastPeerId = 0;
  /** The last stream that this side has opened. */
  #lastOwnId = -1;
  /** The last stream of the peer that is served, after a GOAWAY said so. */
  #lastServedId = LAST_STREAM_ID;
  #isReadPaused = false;
  #isClosing = false;
  #isGone = false;
  #error: Error | undefined = undefined;

  readonly #maySend = (): boolean => this.sendWindow > 0 && this.canWrite && this.isOpen;

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.peer = new PeerSettings(!options.isServer);
    this.#budget = new FrameBudget(options.maxHeaderBytes);
    this.#fields = new FieldCollector(options.maxHeaderBytes);
    this.#reader = new FrameReader(this, options.isServer);
    this.writer = new FrameWriter(socket, () => this.#onFlushed());
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.#onFlushed());
    socket.on("error", (error) => (this.#error ??= error));
    socket.on("close", () => this.#onGone());
  }

  /**
   * Sends this side's first frames.
   *
   * @param first Bytes that were read from the socket already.
   */
  start(first: Buffer): void {
    const { isServer, settings } = this.#options;
    if (!isServer) this.#socket.write(PREFACE, "latin1");
    this.writer.settings(settings);
    this.writer.windowUpdate(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES);
    if (first.length > 0) this.receive(first);
  }

  /** Number of streams under way. */
  get active(): number {
    return this.#streams.size;
  }

  get streams(): Iterable<FramedStream> {
    return this.#streams;
  }

  get canWrite(): boolean {
    return this.writer.backlogBytes < MAX_BACKLOG_BYTES;
  }

  /** Whether a head has begun and is not complete. It is the same one for as long as `headsBegun` is. */
  get isWithinHead(): boolean {
    return this.#reader.isWithinHead;
  }

  /** Whether nothing is read, since the peer does not read. */
  get isReadPaused(): boolean {
    return this.#isReadPaused;
  }

  /** Opens a stream to a server; undefined when the ids are used up. */
  open(): FramedStream | undefined {
    if (this.#lastOwnId + 2 > LAST_STREAM_ID) return undefined;
    this.#lastOwnId += 2;
    return this.#add(this.#lastOwnId);
  }

  /**
   * Tells the peer that the connection will end: it opens no further stream, and none that is on its way is lost. The peer
   * acknowledges the PING behind the GOAWAY once it has read both, and `onEndKnown` is called: every stream that the peer
   * opened before has arrived by then.
   */
  announceEnd(): void {
    if (!this.isOpen || this.#isClosing) return;
    this.writer.goaway(LAST_STREAM_ID, CODE.noError);
    this.writer.ping(END_PING_PAYLOAD, 0, false);
  }

  /** Ends the connection with the last of its streams; takes no further one of the peer. */
  closeGently(): void {
    if (!this.isOpen || this.#isClosing) return;
    this.#isClosing = true;
    this.#lastServedId = this.#lastPeerId;
    this.writer.goaway(this.#lastPeerId, CODE.noError);
    this.#endWhenIdle();
  }

  /** Ends the connection with all of its streams, so that the peer learns why. What it still sends is discarded. */
  endWith(code: number): void {
    if (!this.isOpen) return;
    this.writer.goaway(this.#lastPeerId, code);
    this.#end();
    this.#endStreams();
  }

  /** Cuts the connection at once. */
  destroy(): void {
    if (this.isOpen) this.writer.flush();
    this.isOpen = false;
    this.#reader.stop();
    this.#socket.destroy();
    this.#endStreams();
  }

  /** Asks for a sign of life. */
  ping(): void {
    if (this.isOpen) this.writer.ping(PING_PAYLOAD, 0, false);
  }

  /** Called at each tick of the owner's clock. */
  onTick(): void {
    this.#budget.onTick();
  }

  // Calls of the streams (StreamHost).

  await(stream: FramedStream): void {
    this.#turns.add(stream);
  }

  onDataSent(): void {
    this.#budget.onDataSent();
  }

  onConsumed(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes * 2 < CONNECTION_WINDOW_BYTES || !this.isOpen) return;
    this.#receiveWindow += this.#consumedBytes;
    this.writer.windowUpdate(0, this.#consumedBytes);
    this.#consumedBytes = 0;
  }

  onHeld(parts: number): void {
    this.#heldParts += parts;
    if (this.#heldParts > MAX_HELD_PARTS) this.#flood();
  }

  onStreamClosed(stream: FramedStream, end: StreamEnd): void {
    this.#streams.delete(stream.id);
    this.#turns.remove(stream);
    if (this.#options.isServer && end !== "peer-reset" && !stream.isRemoteEnded) this.#past.add(stream.id);
    if (this.#dataStream === stream) this.#dataStream = undefined;
    this.#events.onStreamClosed(stream, end);
    if (this.#isClosing) this.#endWhenIdle();
  }

  // Calls of the reader (FrameReceiver).

  onFrame(type: number, flags: number, streamId: number, length: number): void {
    if (type === FRAME.headers) this.headsBegun++;
    if (this.#budget.onFrame(type, flags, length) !== undefined) this.#flood();
    else if (type === FRAME.data) this.#beginData(streamId, length);
  }

  onData(_streamId: number, part: Buffer): void {
    this.#paddingBytes -= part.length;
    const stream = this.#dataStream;
    if (stream === undefined) this.onConsumed(part.length);
    else stream.receiveData(part);
  }

  onDataEnd(_streamId: number, endsStream: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    const padding = this.#paddingBytes;
    if (stream === undefined) {
      if (padding > 0) this.onConsumed(padding);
      return;
    }
    if (padding > 0) stream.consume(padding);
    if (endsStream) stream.receiveEnd(undefined);
  }

  onHeaders(streamId: number, endsStream: boolean, block: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(streamId);
    const { isServer } = this.#options;
    const isNew = stream === undefined && isServer && streamId > this.#lastPeerId;
    if (stream === undefined && !isNew) {
      if (this.#isIdle(streamId)) return this.onFault(CODE.protocolError, "a head came on an idle stream");
      if (!this.#isPast(streamId)) return this.onFault(CODE.streamClosed, "a head came on a closed stream");
    }
    const fields = this.#fields;
    fields.begin(isNew ? "request" : stream?.awaitsHead === true ? "response" : "trailers");
    const fault = this.#decoder.decode(block, start, end, fields);
    if (fault !== undefined) return this.onFault(CODE.compressionError, fault);
    fields.end();
    if (isNew) this.#openPeerStream(streamId, fields, endsStream);
    else if (stream !== undefined) this.#receiveHead(stream, fields, endsStream);
  }

  onReset(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      if (stream.isRemoteEnded && !this.#options.isServer) stream.stopSending();
      else stream.close("peer-reset", code);
    } else if (this.#isIdle(streamId)) {
      this.onFault(CODE.protocolError, "a RST_STREAM came on an idle stream");
    }
  }

  onSettings(payload: Buffer, start: number, end: number): void {
    if (end - start > MAX_SETTINGS_BYTES) return this.#flood();
    const { peer } = this;
    const before = peer.initialWindowBytes;
    const fault = peer.read(payload, start, end);
    if (fault !== undefined) return this.onFault(fault, "a setting has a forbidden value");
    this.encoder.setMaxTableBytes(peer.headerTableBytes);
    if (peer.initialWindowBytes !== before && !this.#moveWindows(peer.initialWindowBytes - before)) return;
    this.writer.settingsAck();
    // After the ACK, which tells the peer from where on the new windows count.
    this.#turns.run(this.#maySend);
    this.hasSettings = true;
    this.#events.onSettings();
  }

  onSettingsAck(): void {
    this.isSettled = true;
  }

  onPing(payload: Buffer, start: number, isAck: boolean): void {
    if (!isAck) this.writer.ping(payload, start, true);
    else if (END_PING_PAYLOAD.compare(payload, start, start + END_PING_PAYLOAD.length) === 0)
      this.#events.onEndKnown();
  }

  onGoaway(lastStreamId: number, code: number): void {
    this.#events.onGoaway(lastStreamId, code);
    if (this.#options.isServer) return;
    for (const stream of this.#streams) if (stream.id > lastStreamId) stream.close("refused", code);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW_BYTES)
        this.onFault(CODE.flowControlError, "the connection's window is too large");
      else this.#turns.run(this.#maySend);
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) this.onFault(CODE.protocolError, "a WINDOW_UPDATE came on an idle stream");
      return;
    }
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW_BYTES) return stream.fail(CODE.flowControlError);
    stream.onWindow();
    this.#turns.run(this.#maySend);
  }

  onStreamFault(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) stream.fail(code);
    else if (this.#isIdle(streamId)) this.onFault(code, "a frame of an idle stream is malformed");
  }

  onFault(code: number, detail: string): void {
    if (!this.isOpen) return;
    this.#events.onFault(detail);
    this.endWith(code);
  }

  readArrived(): void {
    const chunk = this.#arrived;
    if (chunk === undefined) return;
    this.#arrived = undefined;
    this.#reader.read(chunk);
  }

  /** Takes bytes of the peer. The socket's `data` events bring them; a socket that reads into memory of its owner has none. */
  receive(chunk: Buffer): void {
    if (!this.isOpen) return;
    const before = this.#arrived;
    this.#arrived = before === undefined ? chunk : Buffer.concat([before, chunk]);
    if (this.#arrived.length > MAX_DEFERRED_BYTES) this.readArrived();
    else if (before !== undefined) return;
    else if (this.#options.isServer) readRequestInTurn(this);
    else readResponseInTurn(this);
  }

  #beginData(streamId: number, length: number): void {
    this.#paddingBytes = length;
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0)
      return this.onFault(CODE.flowControlError, "DATA exceeds the connection's window");
    const stream = this.#streams.get(streamId);
    this.#dataStream = stream;
    if (stream === undefined) {
      if (this.#isIdle(streamId)) this.onFault(CODE.protocolError, "DATA came on an idle stream");
      else if (!this.#isPast(streamId)) this.onFault(CODE.streamClosed, "DATA came on a closed stream");
      return;
    }
    stream.receiveWindow -= length;
    if (stream.isRemoteEnded) stream.fail(CODE.streamClosed);
    else if (stream.awaitsHead) stream.fail(CODE.protocolError);
    else if (stream.receiveWindow < 0) stream.fail(CODE.flowControlError);
  }

  #openPeerStream(streamId: number, fields: FieldCollector, endsStream: boolean): void {
    if ((streamId & 1) === 0) return this.onFault(CODE.protocolError, "a client opened an even stream");
    this.#lastPeerId = streamId;
    if (streamId > this.#lastServedId || this.#streams.size >= this.#options.maxPeerStreams) {
      if (!endsStream) this.#past.add(streamId);
      this.writer.reset(streamId, CODE.refusedStream);
      return;
    }
    const stream = this.#add(streamId);
    if (fields.fault !== undefined) return stream.fail(CODE.protocolError);
    stream.isRemoteEnded = endsStream;
    this.#events.onStream(stream, fields, endsStream);
  }

  #receiveHead(stream: FramedStream, fields: FieldCollector, endsStream: boolean): void {
    if (stream.isRemoteEnded) return stream.fail(CODE.streamClosed);
    if (fields.fault !== undefined || fields.isTooLarge) return stream.fail(CODE.protocolError);
    if (!stream.awaitsHead) {
      // Only trailers may follow a body (RFC 9113, section 8.1).
      if (endsStream) stream.receiveEnd(fields.headers());
      else stream.fail(CODE.protocolError);
      return;
    }
    const status = fields.status ?? "";
    const isInformational = status.charCodeAt(0) === ONE;
    if (!STATUS.test(status) || (isInformational && endsStream)) return stream.fail(CODE.protocolError);
    stream.awaitsHead = isInformational;
    stream.events.onHead(fields, endsStream);
    if (endsStream && !stream.isClosed) stream.receiveEnd(undefined);
  }

  #add(id: number): FramedStream {
    const stream = new FramedStream(this, id, this.#options.isServer, this.peer.initialWindowBytes);
    this.#streams.add(stream);
    return stream;
  }

  /** Whether a stream was never opened. */
  #isIdle(streamId: number): boolean {
    const { isServer } = this.#options;
    if ((streamId & 1) === 0) return true;
    return streamId > (isServer ? this.#lastPeerId : this.#lastOwnId);
  }

  /** Whether frames on a stream that is gone may have crossed its end. A server's are ignored however late they come. */
  #isPast(streamId: number): boolean {
    return !this.#options.isServer || this.#past.has(streamId);
  }

  /** @returns False when a window has become too large. */
  #moveWindows(delta: number): boolean {
    for (const stream of this.#streams) {
      stream.sendWindow += delta;
      if (stream.sendWindow > MAX_WINDOW_BYTES) {
        this.onFault(CODE.flowControlError, "a stream's window is too large");
        return false;
      }
      stream.onWindow();
    }
    return true;
  }

  /** The socket took bytes. */
  #onFlushed(): void {
    if (!this.isOpen) return;
    this.#turns.run(this.#maySend);
    const isOverfull = this.writer.backlogBytes > MAX_UNREAD_BYTES;
    if (isOverfull === this.#isReadPaused) return;
    this.#isReadPaused = isOverfull;
    if (isOverfull) this.#socket.pause();
    else this.#socket.resume();
  }

  #flood(): void {
    if (!this.isOpen) return;
    this.#events.onFlood();
    this.endWith(CODE.enhanceYourCalm);
  }

  #endWhenIdle(): void {
    if (this.#streams.size === 0 && this.isOpen) this.#end();
  }

  /**
   * Ends the outgoing direction, and discards what the peer still sends (lingering close): a socket that is closed with unread
   * bytes resets the connection, and the peer loses the GOAWAY.
   */
  #end(): void {
    this.writer.flush();
    this.isOpen = false;
    this.#reader.stop();
    this.#arrived = undefined;
    this.#socket.end();
    this.#socket.resume();
  }

  #endStreams(): void {
    for (const stream of this.#streams) stream.close("connection", CODE.noError);
  }

  #onEnd(): void {
    this.readArrived();
    // A peer that ends its side is taken to be gone, as by node:http2, nginx and Envoy.
    if (!this.isOpen) return;
    if (this.#streams.size > 0) this.destroy();
    else this.#end();
  }

  #onGone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.isOpen = false;
    this.#reader.stop();
    this.#arrived = undefined;
    this.#endStreams();
    this.#events.onClosed(this.#error);
  }
}

const ONE = 0x31;
const STATUS = /^[1-9][0-9][0-9]$/;
const PING_PAYLOAD = Buffer.from("purser\0\0", "latin1");
/** Tells the PING of `announceEnd` from those of `ping`. */
const END_PING_PAYLOAD = Buffer.from("purserEN", "latin1");
