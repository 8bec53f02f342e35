// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { flushInTurn } from "../../http1/turn.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from "../constants.ts";
import { ByteWriter } from "../hpack/byte-writer.ts";
import type { HpackEncoder } from "../hpack/hpack-encoder.ts";
import { givePiece, takePiece } from "./write-memory.ts";

/** A larger part of a body is written as it is; a smaller one is copied behind its frame's header, which is faster. */
const MIN_DIRECT_BYTES = 4 * 1024;

const NO_BYTES = Buffer.alloc(0);

/**
 * Writes frames on a socket. All frames of a turn of the event loop are one write: a second one costs some 5 µs.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onFlushed: () => void;
  readonly #isSecure: boolean;
  readonly #out = new ByteWriter(NO_BYTES);
  /** Bytes of `#out` that are in `#parts` already. */
  #sealed = 0;
  /** The memory in which the last sealed bytes are. */
  #sealedIn: Buffer = NO_BYTES;
  /** Bytes to write, in order, before the rest of `#out`. */
  #parts: Uint8Array[] = [];
  /** Bytes of bodies in `#parts` that are not in `#out`. */
  #directBytes = 0;
  #isListed = false;
  /** The offset of the last frame of a stream in `#out`; -1 when there is none. */
  #lastFrameAt = -1;
  #lastStreamId = 0;

  /** @param onFlushed Called after each write. */
  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket;
    this.#onFlushed = onFlushed;
    this.#isSecure = socket instanceof TLSSocket;
  }

  /** Bytes that the operating system has not taken. */
  get backlogBytes(): number {
    return this.#out.length + this.#directBytes + this.#socket.writableLength;
  }

  /** @param entries Identifier, value, identifier, value … */
  settings(entries: readonly number[]): void {
    const { bytes, at } = this.#frame(FRAME.settings, 0, 0, 3 * entries.length);
    for (let index = 0; index < entries.length; index += 2) {
      bytes.writeUInt16BE(entries[index] as number, at + 3 * index);
      bytes.writeUInt32BE(entries[index + 1] as number, at + 3 * index + 2);
    }
  }

  settingsAck(): void {
    this.#frame(FRAME.settings, FLAG.ack, 0, 0);
  }

  /** @param payload 8 bytes from `start` on. */
  ping(payload: Buffer, start: number, isAck: boolean): void {
    const { bytes, at } = this.#frame(FRAME.ping, isAck ? FLAG.ack : 0, 0, 8);
    payload.copy(bytes, at, start, start + 8);
  }

  goaway(lastStreamId: number, code: number): void {
    const { bytes, at } = this.#frame(FRAME.goaway, 0, 0, 8);
    bytes.writeUInt32BE(lastStreamId, at);
    bytes.writeUInt32BE(code, at + 4);
  }

  /** @param streamId 0 for the connection. */
  windowUpdate(streamId: number, increment: number): void {
    const { bytes, at } = this.#frame(FRAME.windowUpdate, 0, streamId, 4);
    bytes.writeUInt32BE(increment, at);
  }

  reset(streamId: number, code: number): void {
    const { bytes, at } = this.#frame(FRAME.rstStream, 0, streamId, 4);
    bytes.writeUInt32BE(code, at);
  }

  /**
   * Writes a head or trailers.
   *
   * @param pseudo Name, value, name, value … of the pseudo-header fields.
   * @param fields The other fields likewise, which can be sent.
   * @param neverIndexed See `HeaderList.neverIndexed`.
   */
  headers(
    streamId: number,
    pseudo: readonly string[],
    fields: readonly string[],
    endsStream: boolean,
    encoder: HpackEncoder,
    neverIndexed?: ReadonlySet<string>,
  ): void {
    const flags = FLAG.endHeaders | (endsStream ? FLAG.endStream : 0);
    const out = this.#out;
    const { at } = this.#frame(FRAME.headers, flags, streamId, 0);
    encoder.beginBlock(out);
    encodeFields(pseudo, encoder, neverIndexed);
    encodeFields(fields, encoder, neverIndexed);
    const length = out.length - at;
    if (length > MAX_FRAME_BYTES) this.#divideBlock(streamId, at, length);
    else writeLength(out.bytes, at - FRAME_HEADER_BYTES, length);
    this.#lastFrameAt = at - FRAME_HEADER_BYTES;
    this.#lastStreamId = streamId;
  }

  /** Writes `chunk` from `start` to `end` as frames of DATA. */
  data(streamId: number, chunk: Uint8Array, start: number, end: number): void {
    let from = start;
    do {
      const to = Math.min(end, from + MAX_FRAME_BYTES);
      const size = to - from;
      const isDirect = size >= MIN_DIRECT_BYTES;
      const { bytes, at } = this.#frame(FRAME.data, 0, streamId, isDirect ? 0 : size);
      this.#lastFrameAt = at - FRAME_HEADER_BYTES;
      this.#lastStreamId = streamId;
      const part = from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to);
      if (isDirect) {
        writeLength(bytes, at - FRAME_HEADER_BYTES, size);
        this.#seal();
        this.#parts.push(part);
        this.#directBytes += size;
      } else {
        bytes.set(part, at);
      }
      from = to;
    } while (from < end);
  }

  /** Ends a stream: by a flag in its last frame, if that is the last one with content of this turn, or else by another frame. */
  endStream(streamId: number): void {
    const at = this.#lastFrameAt;
    if (at < 0 || this.#lastStreamId !== streamId) {
      this.#frame(FRAME.data, FLAG.endStream, streamId, 0);
      return;
    }
    const flagsAt = at + 4;
    const bytes = at < this.#sealed ? this.#sealedIn : this.#out.bytes;
    bytes[flagsAt] = (bytes[flagsAt] as number) | FLAG.endStream;
  }

  /** Writes all frames, at once. */
  flush(): void {
    this.#isListed = false;
    const out = this.#out;
    if (out.length > 0) {
      this.#write();
      this.#onFlushed();
    }
  }

  #write(): void {
    const out = this.#out;
    const socket = this.#socket;
    const memory = out.bytes;
    const parts = this.#parts;
    const rest = memory.subarray(this.#sealed, out.length);
    out.bytes = NO_BYTES;
    out.length = 0;
    this.#sealed = 0;
    this.#sealedIn = NO_BYTES;
    this.#directBytes = 0;
    this.#lastFrameAt = -1;
    if (socket.destroyed || socket.writableEnded) {
      this.#parts = [];
      return;
    }
    if (parts.length === 0) {
      socket.write(this.#isSecure ? Buffer.from(rest) : rest);
    } else {
      this.#parts = [];
      socket.cork();
      for (const part of parts) socket.write(part);
      if (rest.length > 0) socket.write(rest);
      socket.uncork();
    }
    // The bytes were copied, here or by the operating system. Node finishes each write over TLS in a later turn.
    if (socket.writableLength === 0 || (this.#isSecure && parts.length === 0)) givePiece(memory);
  }

  /** Begins a frame, and makes room for its payload. */
  #frame(type: number, flags: number, streamId: number, length: number): Place {
    const out = this.#out;
    if (out.length === 0) this.#begin();
    out.ensure(FRAME_HEADER_BYTES + length);
    const { bytes } = out;
    const at = out.length;
    writeLength(bytes, at, length);
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = streamId >>> 24;
    bytes[at + 6] = streamId >>> 16;
    bytes[at + 7] = streamId >>> 8;
    bytes[at + 8] = streamId;
    out.length = at + FRAME_HEADER_BYTES + length;
    PLACE.bytes = bytes;
    PLACE.at = at + FRAME_HEADER_BYTES;
    return PLACE;
  }

  #begin(): void {
    this.#out.bytes = takePiece();
    if (this.#isListed) return;
    this.#isListed = true;
    flushInTurn(this);
  }

  /** Puts the bytes of `#out` so far among the parts. Their memory is not written again, except for flags. */
  #seal(): void {
    const out = this.#out;
    if (out.length === this.#sealed) return;
    this.#parts.push(out.bytes.subarray(this.#sealed, out.length));
    this.#sealed = out.length;
    this.#sealedIn = out.bytes;
  }

  /** Divides a header block into a HEADERS frame and CONTINUATION frames. */
  #divideBlock(streamId: number, at: number, length: number): void {
    const out = this.#out;
    const block = Buffer.from(out.bytes.subarray(at, at + length));
    const flagsAt = at - FRAME_HEADER_BYTES + 4;
    writeLength(out.bytes, at - FRAME_HEADER_BYTES, MAX_FRAME_BYTES);
    out.bytes[flagsAt] = (out.bytes[flagsAt] as number) & ~FLAG.endHeaders;
    out.length = at + MAX_FRAME_BYTES;
    for (let from = MAX_FRAME_BYTES; from < length; from += MAX_FRAME_BYTES) {
      const to = Math.min(length, from + MAX_FRAME_BYTES);
      const flags = to === length ? FLAG.endHeaders : 0;
      const place = this.#frame(FRAME.continuation, flags, streamId, to - from);
      block.copy(place.bytes, place.at, from, to);
    }
  }
}

/** The place of a frame's payload. */
interface Place {
  bytes: Buffer;
  at: number;
}

/** The place of the last frame that was begun: one object for all, since it is read at once. */
const PLACE: Place = { bytes: NO_BYTES, at: 0 };

function encodeFields(
  fields: readonly string[],
  encoder: HpackEncoder,
  neverIndexed: ReadonlySet<string> | undefined,
): void {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    encoder.encode(name, fields[index + 1] as string, neverIndexed !== undefined && neverIndexed.has(name));
  }
}

function writeLength(bytes: Buffer, at: number, length: number): void {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
}
