// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FRAME_HEADER_BYTES } from "../constants.ts";

/** Receives the frames of one direction of a connection. */
export interface FrameReceiver {
  /** A frame's header came. `length` is that of the payload, in bytes. */
  onFrame(type: number, flags: number, streamId: number, length: number): void;
  /** The last byte of the frame's payload came. */
  onFrameEnd(type: number, flags: number): void;
}

/** Finds the frames (RFC 9113, section 4.1) in a connection's bytes, without copying a payload. */
export class FrameScanner {
  readonly #receiver: FrameReceiver;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the payload that are still to come. */
  #remaining = 0;
  /** Bytes before the first frame that are still to come. */
  #skipped: number;

  /** @param skippedBytes Number of bytes before the first frame. */
  constructor(receiver: FrameReceiver, skippedBytes: number) {
    this.#receiver = receiver;
    this.#skipped = skippedBytes;
  }

  scan(chunk: Buffer): void {
    let at = Math.min(this.#skipped, chunk.length);
    this.#skipped -= at;
    while (at < chunk.length) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, chunk.length - at);
        at += taken;
        this.#remaining -= taken;
        if (this.#remaining === 0) this.#endFrame();
        continue;
      }
      const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES - this.#headerBytes);
      chunk.copy(this.#header, this.#headerBytes, at, end);
      this.#headerBytes += end - at;
      at = end;
      if (this.#headerBytes === FRAME_HEADER_BYTES) this.#beginFrame();
    }
  }

  #beginFrame(): void {
    const header = this.#header;
    this.#headerBytes = 0;
    this.#remaining = header.readUIntBE(0, 3);
    // The first bit of the stream's id is reserved.
    const streamId = header.readUInt32BE(5) & 0x7fff_ffff;
    this.#receiver.onFrame(header[3] as number, header[4] as number, streamId, this.#remaining);
    if (this.#remaining === 0) this.#endFrame();
  }

  #endFrame(): void {
    this.#receiver.onFrameEnd(this.#header[3] as number, this.#header[4] as number);
  }
}
