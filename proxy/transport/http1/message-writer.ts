// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { HeaderList } from "../contract/header-list.ts";
import { CHUNK_END, chunkSizeLine, lastChunkText } from "./messages/chunked-text.ts";
import { type Framing, UNTIL_CLOSE } from "./messages/framing.ts";
import { flushInTurn } from "./turn.ts";

/** Node writes Latin-1 text up to this size from its stack, without an allocation (StreamBase::WriteString). */
const MAX_TEXT_BYTES = 16 * 1024;

/** A chunk of this size or more, with no text before it, is written as it is: copying it into text costs more. */
const MIN_DIRECT_BYTES = 1024;

/** Unsent bytes on the socket from which on `write` asks the caller to wait: Envoy's buffer for edge proxies is 32 KiB, Node's high-water mark 16 to 64 KiB. */
const MAX_BACKLOG_BYTES = 64 * 1024;

/**
 * Writes messages on a socket, one after the other. A head is held as text until the end of the turn, joined with
 * the body's first bytes, so that a small message is one write: a second write costs some 5 µs.
 *
 * The socket's owner passes its `drain` events to `onDrain`.
 */
export class MessageWriter {
  readonly #socket: Socket;
  /** Text that is not written yet. */
  #text = "";
  #listed = false;
  #holdsHead = false;
  #framing: Framing = UNTIL_CLOSE;
  /** Bytes of a body with a known length that are still to come. */
  #remaining = 0;
  #overlong = false;
  #blocked = false;
  readonly #onTaken: OnTaken | undefined;

  /**
   * @param onTaken Called when the operating system has taken a write. For sockets with TLS, which never take one at
   * once: an empty write, to learn when they have, passes through TLS too and costs 5 % of a request's CPU time.
   */
  constructor(socket: Socket, onTaken?: OnTaken) {
    this.#socket = socket;
    this.#onTaken = onTaken;
  }

  /** Writes a head that has no body and no message of its own: a request without a body, an informational response. */
  writeHead(headText: string): void {
    this.#hold(headText);
  }

  /** Begins a message with its head, which ends with the empty line. */
  begin(headText: string, framing: Framing): void {
    this.#framing = framing;
    this.#remaining = framing.length;
    this.#overlong = false;
    this.#hold(headText);
  }

  /**
   * Writes a part of the body. A body of kind `none` is dropped.
   *
   * @returns False when the caller should wait until `onDrain` returns true.
   */
  write(chunk: Uint8Array): boolean {
    const size = chunk.byteLength;
    const { kind } = this.#framing;
    if (kind === "none" || size === 0) return !this.#blocked;
    if (kind === "length") {
      this.#overlong ||= size > this.#remaining;
      if (this.#overlong) return true;
      this.#remaining -= size;
    }
    const chunked = kind === "chunked";
    if (chunked) this.#text += chunkSizeLine(size);
    const textBytes = this.#text.length;
    if (textBytes + size > MAX_TEXT_BYTES || (textBytes === 0 && size >= MIN_DIRECT_BYTES)) {
      this.#writeWith(chunk, chunked ? CHUNK_END : "");
    } else {
      this.#text += latin1Of(chunk);
      if (chunked) this.#text += CHUNK_END;
      this.#flushLater();
    }
    this.#blocked = this.#socket.writableLength >= MAX_BACKLOG_BYTES;
    return !this.#blocked;
  }

  /**
   * Ends the message. The rest of it is written at the end of the turn.
   *
   * @param trailers Sent only with a chunked body.
   * @returns False when the body did not have the length that the head declared: the connection must be cut, since the
   * peer would read the next message as a part of this one.
   */
  end(trailers?: HeaderList): boolean {
    if (this.#framing.kind === "chunked") this.#text += lastChunkText(trailers);
    if (this.#text !== "") this.#flushLater();
    return !this.#overlong && (this.#framing.kind !== "length" || this.#remaining === 0);
  }

  /** Whether the last head is still to be written. */
  get holdsHead(): boolean {
    return this.#holdsHead;
  }

  /** Whether the operating system has taken all that was written. */
  get isFlushed(): boolean {
    return this.#text === "" && this.#socket.writableLength === 0;
  }

  /** Whether `onTaken` is called for what is not flushed yet. */
  get tellsTaken(): boolean {
    return this.#onTaken !== undefined;
  }

  /** Writes what is held, at once. */
  flush(): void {
    this.#listed = false;
    const text = this.#take();
    if (text !== "" && !this.#socket.destroyed) this.#socket.write(text, "latin1", this.#onTaken);
  }

  /** @returns Whether a `write` has returned false since the last call. */
  onDrain(): boolean {
    const blocked = this.#blocked;
    this.#blocked = false;
    return blocked;
  }

  #hold(headText: string): void {
    this.#text += headText;
    this.#holdsHead = true;
    this.#flushLater();
  }

  #take(): string {
    const text = this.#text;
    this.#text = "";
    this.#holdsHead = false;
    return text;
  }

  #flushLater(): void {
    if (this.#listed) return;
    this.#listed = true;
    flushInTurn(this);
  }

  /** Writes the text that is held, the chunk and further text by one call of the operating system. */
  #writeWith(chunk: Uint8Array, after: string): void {
    const socket = this.#socket;
    const before = this.#take();
    if (socket.destroyed) return;
    if (before === "" && after === "") {
      socket.write(chunk, this.#onTaken);
      return;
    }
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    socket.write(chunk, after === "" ? this.#onTaken : undefined);
    if (after !== "") socket.write(after, "latin1", this.#onTaken);
    socket.uncork();
  }
}

/** The callback of a write. */
export type OnTaken = (error?: Error | null) => void;

function latin1Of(chunk: Uint8Array): string {
  const bytes = Buffer.isBuffer(chunk)
    ? chunk
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return bytes.toString("latin1");
}
