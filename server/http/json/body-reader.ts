// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { PurserError } from "../../../kernel/errors.ts";

/**
 * Minimum average size of a body's chunks, beyond the first 1,024 chunks, in bytes. Each chunk costs some
 * microseconds whatever its size: 100,000 chunks of one byte hold the event loop for 2 s (measured). TCP
 * segments and the chunks of real clients are far larger.
 */
const MIN_PIECE_BYTES = 64;
const FREE_PIECES = 1_024;

/**
 * Memory limit for all arriving bodies, in bodies of maximum size; beyond it the largest arriving body is
 * refused.
 */
const MAX_LARGE_BODIES = 64;

/** Gets a body when it has arrived. One of the two functions is called, once, and must not throw. */
export interface BodyReceiver {
  received(text: string): void;
  /**
   * The error is PURSER_REQUEST_TOO_LARGE, PURSER_REQUEST_INVALID or PURSER_OVERLOADED. The rest of the body is
   * discarded, and the connection must be closed.
   */
  refused(error: PurserError): void;
}

/** A body that is arriving, complete or refused. */
interface Body {
  readonly receiver: BodyReceiver;
  readonly pieces: Buffer[];
  bytes: number;
  /** Whether the receiver has got the text or an error. */
  isSettled: boolean;
}

/**
 * Reads request bodies as text, with limits for size, number of chunks, and the memory of all bodies
 * together. It calls the receiver instead of resolving a promise, because a check that is answered at once needs none.
 */
export class BodyReader {
  readonly #limitBytes: number;
  readonly #arriving = new Set<Body>();
  #heldBytes = 0;

  /** @param limitBytes Maximum size of a body; all arriving bodies together may hold 64 times as much. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Reads the whole body. Its time is limited by the server's `requestTimeout`. */
  read(request: IncomingMessage, receiver: BodyReceiver): void {
    if (Number(request.headers["content-length"] ?? 0) > this.#limitBytes) {
      receiver.refused(this.#tooLarge());
      return;
    }
    const body: Body = { receiver, pieces: [], bytes: 0, isSettled: false };
    this.#arriving.add(body);
    request.on("data", (piece: Buffer) => this.#add(body, piece));
    request.on("end", () => this.#end(body));
    // The close of a request whose body has arrived follows, too.
    const cut = (): void => {
      if (!body.isSettled)
        this.#refuse(body, new PurserError("PURSER_REQUEST_INVALID", "the body ended too early"));
    };
    request.on("error", cut);
    request.on("close", cut);
  }

  #add(body: Body, piece: Buffer): void {
    // The listener stays after a refusal: the rest is discarded instead of buffered.
    if (body.isSettled) return;
    const { pieces } = body;
    pieces.push(piece);
    body.bytes += piece.length;
    this.#heldBytes += piece.length;
    if (body.bytes > this.#limitBytes) this.#refuse(body, this.#tooLarge());
    else if (pieces.length > FREE_PIECES + body.bytes / MIN_PIECE_BYTES) {
      const message = `the body comes in pieces of less than ${MIN_PIECE_BYTES} bytes on average: send larger chunks`;
      this.#refuse(body, new PurserError("PURSER_REQUEST_INVALID", message));
    } else if (this.#heldBytes > this.#limitBytes * MAX_LARGE_BODIES) this.#refuseLargest();
  }

  #end(body: Body): void {
    if (body.isSettled) return;
    this.#settle(body);
    const { pieces, receiver } = body;
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    if (isUtf8(bytes)) receiver.received(bytes.toString("utf8"));
    else receiver.refused(new PurserError("PURSER_REQUEST_INVALID", "the body is not UTF-8"));
  }

  #refuse(body: Body, error: PurserError): void {
    this.#settle(body);
    body.pieces.length = 0;
    body.receiver.refused(error);
  }

  #settle(body: Body): void {
    body.isSettled = true;
    this.#arriving.delete(body);
    this.#heldBytes -= body.bytes;
  }

  #refuseLargest(): void {
    const [first, ...others] = this.#arriving;
    const largest = others.reduce((a, b) => (b.bytes > (a?.bytes ?? 0) ? b : a), first);
    const message = `the bodies that are on their way hold ${this.#heldBytes} bytes already`;
    if (largest !== undefined) this.#refuse(largest, new PurserError("PURSER_OVERLOADED", message));
  }

  #tooLarge(): PurserError {
    return new PurserError("PURSER_REQUEST_TOO_LARGE", `the body is larger than ${this.#limitBytes} bytes`);
  }
}
