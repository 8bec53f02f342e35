// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CODE, FLAG, FRAME, FRAME_HEADER_BYTES, PREFACE } from "../constants.ts";
import type { FrameReceiver } from "./frame-receiver.ts";
import { frameFaultOf, paddingFault, prefixBytes } from "./frame-rules.ts";

const PREFACE_BYTES = Buffer.from(PREFACE, "latin1");
const NO_BYTES = Buffer.alloc(0);

/**
 * Reads the frames of one direction of a connection (RFC 9113, section 4), however its bytes are divided. DATA is handed on
 * as it comes; the payload of another frame is copied only when it spans two chunks.
 */
export class FrameReader {
  readonly #receiver: FrameReceiver;
  readonly #partialHeader = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the client's preface that are still to come. */
  #prefaceBytes: number;
  #isFirstFrame = true;
  #isStopped = false;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the present frame's payload that are still to come; -1 between two frames. */
  #remaining = -1;
  /** Whether the length of a DATA frame's padding is still to come. */
  #awaitsPadLength = false;
  /** Bytes of a DATA frame's padding. */
  #padBytes = 0;
  /** The payload of a frame that spans two chunks. */
  #gathered: Buffer = NO_BYTES;
  #gatheredBytes = 0;
  /** The stream whose head is under way; 0 for none. */
  #headStreamId = 0;
  #headEndsStream = false;
  /** Fragments of the head under way, in a buffer that doubles: with one copy for each, small fragments would cost their square. */
  #block: Buffer = NO_BYTES;
  #blockBytes = 0;

  /** @param hasPreface Whether the peer is a client, whose first bytes are the preface. */
  constructor(receiver: FrameReceiver, hasPreface: boolean) {
    this.#receiver = receiver;
    this.#prefaceBytes = hasPreface ? PREFACE_BYTES.length : 0;
  }

  /** Whether a frame, or a head of several frames, has begun and is not complete. */
  get isWithinHead(): boolean {
    return this.#headStreamId !== 0 || (this.#remaining >= 0 && this.#type === FRAME.headers);
  }

  /** Reads nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#block = NO_BYTES;
    this.#gathered = NO_BYTES;
  }

  read(chunk: Buffer): void {
    let at = this.#prefaceBytes > 0 ? this.#readPreface(chunk) : 0;
    while (at < chunk.length && !this.#isStopped)
      at = this.#remaining < 0 ? this.#readHeader(chunk, at) : this.#readPayload(chunk, at);
  }

  #readPreface(chunk: Buffer): number {
    const from = PREFACE_BYTES.length - this.#prefaceBytes;
    const count = Math.min(this.#prefaceBytes, chunk.length);
    if (PREFACE_BYTES.compare(chunk, 0, count, from, from + count) !== 0) {
      this.#fail(CODE.protocolError, "the connection does not begin with the preface");
      return chunk.length;
    }
    this.#prefaceBytes -= count;
    return count;
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#headerBytes === 0 && chunk.length - at >= FRAME_HEADER_BYTES) {
      this.#beginFrame(chunk, at);
      return at + FRAME_HEADER_BYTES;
    }
    const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES - this.#headerBytes);
    chunk.copy(this.#partialHeader, this.#headerBytes, at, end);
    this.#headerBytes += end - at;
    if (this.#headerBytes === FRAME_HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#beginFrame(this.#partialHeader, 0);
    }
    return end;
  }

  #beginFrame(bytes: Buffer, at: number): void {
    const length =
      ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    // The first bit of the stream's id is reserved.
    const streamId = bytes.readInt32BE(at + 5) & 0x7fff_ffff;
    if (!this.#accepts(type, flags, streamId, length)) return;
    this.#type = type;
    this.#flags = flags;
    this.#streamId = streamId;
    this.#remaining = length;
    this.#awaitsPadLength = type === FRAME.data && (flags & FLAG.padded) !== 0;
    this.#padBytes = 0;
    this.#receiver.onFrame(type, flags, streamId, length);
    if (length === 0 && !this.#isStopped) this.#endFrame(NO_BYTES, 0, 0);
  }

  #accepts(type: number, flags: number, streamId: number, length: number): boolean {
    if (this.#isFirstFrame) {
      this.#isFirstFrame = false;
      if (type !== FRAME.settings || (flags & FLAG.ack) !== 0)
        return this.#fail(CODE.protocolError, "the first frame is not SETTINGS");
    }
    if (this.#headStreamId !== 0 && type === FRAME.continuation && streamId === this.#headStreamId) {
      // Any type's fault for its size.
      const fault = frameFaultOf(-1, flags, streamId, length);
      return fault === undefined || this.#fail(fault.code, fault.detail);
    }
    if (this.#headStreamId !== 0) return this.#fail(CODE.protocolError, "a frame came within a head");
    const fault = frameFaultOf(type, flags, streamId, length);
    return fault === undefined || this.#fail(fault.code, fault.detail);
  }

  #readPayload(chunk: Buffer, at: number): number {
    if (this.#type === FRAME.data) return this.#readData(chunk, at);
    const end = at + this.#remaining;
    if (this.#gatheredBytes === 0 && end <= chunk.length) {
      this.#endFrame(chunk, at, end);
      return end;
    }
    if (this.#gatheredBytes === 0 && this.#gathered.length < this.#remaining)
      this.#gathered = Buffer.allocUnsafeSlow(this.#remaining);
    const taken = Math.min(this.#remaining, chunk.length - at);
    chunk.copy(this.#gathered, this.#gatheredBytes, at, at + taken);
    this.#gatheredBytes += taken;
    this.#remaining -= taken;
    if (this.#remaining === 0) {
      const gathered = this.#gathered;
      const length = this.#gatheredBytes;
      this.#gathered = NO_BYTES;
      this.#gatheredBytes = 0;
      this.#endFrame(gathered, 0, length);
    }
    return at + taken;
  }

  #readData(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#awaitsPadLength) {
      this.#awaitsPadLength = false;
      this.#padBytes = chunk[at++] as number;
      this.#remaining--;
      if (this.#padBytes > this.#remaining) {
        const fault = paddingFault(FLAG.padded);
        this.#fail(fault.code, fault.detail);
        return chunk.length;
      }
    }
    const content = Math.min(this.#remaining - this.#padBytes, chunk.length - at);
    if (content > 0) {
      this.#remaining -= content;
      const isWhole = at === 0 && content === chunk.length;
      this.#receiver.onData(this.#streamId, isWhole ? chunk : chunk.subarray(at, at + content));
      at += content;
    }
    if (this.#remaining === this.#padBytes) {
      const padding = Math.min(this.#padBytes, chunk.length - at);
      this.#padBytes -= padding;
      this.#remaining -= padding;
      at += padding;
      if (this.#remaining === 0 && !this.#isStopped) this.#endFrame(NO_BYTES, 0, 0);
    }
    return at;
  }

  /** Handles a frame that is complete. The payload of DATA was handed on before. */
  #endFrame(bytes: Buffer, start: number, end: number): void {
    const receiver = this.#receiver;
    const streamId = this.#streamId;
    const flags = this.#flags;
    this.#remaining = -1;
    switch (this.#type) {
      case FRAME.data:
        return receiver.onDataEnd(streamId, (flags & FLAG.endStream) !== 0);
      case FRAME.headers:
        return this.#onHeaders(bytes, start, end);
      case FRAME.priority:
        // Priorities are deprecated (RFC 9113, section 5.3.2): the frame is checked and dropped.
        if (end - start !== 5) receiver.onStreamFault(streamId, CODE.frameSizeError);
        return;
      case FRAME.rstStream:
        return receiver.onReset(streamId, bytes.readUInt32BE(start));
      case FRAME.settings:
        return (flags & FLAG.ack) !== 0 ? receiver.onSettingsAck() : receiver.onSettings(bytes, start, end);
      case FRAME.ping:
        return receiver.onPing(bytes, start, (flags & FLAG.ack) !== 0);
      case FRAME.goaway:
        return receiver.onGoaway(bytes.readInt32BE(start) & 0x7fff_ffff, bytes.readUInt32BE(start + 4));
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(bytes.readInt32BE(start) & 0x7fff_ffff);
      case FRAME.continuation:
        return this.#onFragment(bytes, start, end);
    }
  }

  #onWindowUpdate(increment: number): void {
    if (increment > 0) this.#receiver.onWindowUpdate(this.#streamId, increment);
    else if (this.#streamId > 0) this.#receiver.onStreamFault(this.#streamId, CODE.protocolError);
    else this.#fail(CODE.protocolError, "a WINDOW_UPDATE adds nothing");
  }

  #onHeaders(bytes: Buffer, start: number, end: number): void {
    const flags = this.#flags;
    const from = start + prefixBytes(FRAME.headers, flags);
    const to = (flags & FLAG.padded) === 0 ? end : end - (bytes[start] as number);
    if (to < from) {
      const fault = paddingFault(flags);
      this.#fail(fault.code, fault.detail);
      return;
    }
    const endsStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0)
      return this.#receiver.onHeaders(this.#streamId, endsStream, bytes, from, to);
    this.#headStreamId = this.#streamId;
    this.#headEndsStream = endsStream;
    this.#blockBytes = 0;
    this.#addFragment(bytes, from, to);
  }

  #onFragment(bytes: Buffer, start: number, end: number): void {
    this.#addFragment(bytes, start, end);
    if ((this.#flags & FLAG.endHeaders) === 0) return;
    const streamId = this.#headStreamId;
    const block = this.#block;
    this.#headStreamId = 0;
    this.#block = NO_BYTES;
    this.#receiver.onHeaders(streamId, this.#headEndsStream, block, 0, this.#blockBytes);
  }

  /** The receiver's budget bounds the size of the block: see FrameBudget. */
  #addFragment(bytes: Buffer, start: number, end: number): void {
    const size = this.#blockBytes + end - start;
    if (size > this.#block.length) {
      const larger = Buffer.allocUnsafeSlow(2 * size);
      this.#block.copy(larger, 0, 0, this.#blockBytes);
      this.#block = larger;
    }
    bytes.copy(this.#block, this.#blockBytes, start, end);
    this.#blockBytes = size;
  }

  #fail(code: number, detail: string): false {
    this.stop();
    this.#receiver.onFault(code, detail);
    return false;
  }
}
