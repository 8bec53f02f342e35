// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../contract/body.ts";
import { type BodyProgress, ChunkedReader } from "./chunked-reader.ts";
import { type Framing, NO_BODY } from "./framing.ts";
import type { MessageFault } from "./message-fault.ts";

/** Takes a message's body out of a connection's bytes. One reader serves a connection's messages in turn. */
export class BodyReader implements BodyProgress {
  /** Receives the body; without one it is discarded. May be changed at any time, also from its own calls. */
  receiver: BodyReceiver | undefined;
  /** Whether the body ended; true before the first `begin`. */
  done = true;
  /** Set when the bytes violate the framing: nothing more can be read from the connection. */
  fault: MessageFault | undefined;
  #framing: Framing = NO_BODY;
  /** Bytes of a body of kind `length` that have not arrived. */
  #leftBytes = 0;
  #chunked: ChunkedReader | undefined;

  /** Begins a body. A body of kind `none` is done at once: its receiver's onEnd is called. */
  begin(framing: Framing, receiver: BodyReceiver | undefined): void {
    this.receiver = receiver;
    this.fault = undefined;
    this.#framing = framing;
    this.#leftBytes = framing.length;
    this.done = framing.kind === "none";
    if (this.done) receiver?.onEnd(undefined);
    else if (framing.kind === "chunked") (this.#chunked ??= new ChunkedReader(this)).begin();
  }

  /**
   * Reads a chunk from an offset on. Hands over views of it; a chunked body is moved together within it, so that
   * small chunks of one read arrive in one call.
   *
   * @returns The offset after the bytes of the body: the chunk's length unless the body is `done`; -1 after a
   * `fault`.
   */
  read(chunk: Buffer, offset: number): number {
    if (this.fault !== undefined) return -1;
    if (this.done || offset === chunk.length) return offset;
    switch (this.#framing.kind) {
      case "length":
        return this.#readLength(chunk, offset);
      case "chunked":
        return (this.#chunked as ChunkedReader).read(chunk, offset);
      default:
        this.receiver?.onData(offset === 0 ? chunk : chunk.subarray(offset));
        return chunk.length;
    }
  }

  /**
   * The peer ended the connection: ends a body whose framing is until-close.
   *
   * @returns Whether the body is complete.
   */
  finish(): boolean {
    if (!this.done && this.#framing.kind === "until-close") {
      this.done = true;
      this.receiver?.onEnd(undefined);
    }
    return this.done;
  }

  #readLength(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#leftBytes);
    this.#leftBytes -= end - offset;
    this.receiver?.onData(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end));
    if (this.#leftBytes > 0) return end;
    // Before the call, which may begin the next body.
    this.done = true;
    this.receiver?.onEnd(undefined);
    return end;
  }
}
