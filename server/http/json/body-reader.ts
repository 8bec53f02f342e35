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

/** A body that has not arrived completely. */
interface Arriving {
  bytes: number;
  refuse(error: PurserError): void;
}

/**
 * Reads request bodies as text, with limits for size, number of chunks, and the memory of all bodies
 * together.
 */
export class BodyReader {
  readonly #limitBytes: number;
  readonly #arriving = new Set<Arriving>();
  #heldBytes = 0;

  /** @param limitBytes Maximum size of a body; all arriving bodies together may hold 64 times as much. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Reads the whole body. Its time is limited by the server's `requestTimeout`.
   *
   * After a rejection the rest of the body is discarded, and the connection must be closed.
   *
   * @throws {PurserError} PURSER_REQUEST_TOO_LARGE, PURSER_REQUEST_INVALID, PURSER_OVERLOADED.
   */
  async read(request: IncomingMessage): Promise<string> {
    if (Number(request.headers["content-length"] ?? 0) > this.#limitBytes) throw this.#tooLarge();
    const body = await this.#collect(request);
    if (!isUtf8(body)) throw new PurserError("PURSER_REQUEST_INVALID", "the body is not UTF-8");
    return body.toString("utf8");
  }

  #collect(request: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        this.#arriving.delete(arriving);
        this.#heldBytes -= arriving.bytes;
        return true;
      };
      const arriving: Arriving = {
        bytes: 0,
        refuse(error) {
          if (settle()) reject(error);
          pieces.length = 0;
        },
      };
      this.#arriving.add(arriving);
      request.on("data", (piece: Buffer) => {
        // The listener stays after a refusal: the rest is discarded instead of buffered.
        if (settled) return;
        pieces.push(piece);
        arriving.bytes += piece.length;
        this.#heldBytes += piece.length;
        if (arriving.bytes > this.#limitBytes) arriving.refuse(this.#tooLarge());
        else if (pieces.length > FREE_PIECES + arriving.bytes / MIN_PIECE_BYTES) {
          const message = `the body comes in pieces of less than ${MIN_PIECE_BYTES} bytes on average: send larger chunks`;
          arriving.refuse(new PurserError("PURSER_REQUEST_INVALID", message));
        } else if (this.#heldBytes > this.#limitBytes * MAX_LARGE_BODIES) this.#refuseLargest();
      });
      request.on("end", () => {
        if (settle()) resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
      });
      // The close of a request whose body has arrived follows, too.
      const cut = (): void => {
        if (!settled) arriving.refuse(new PurserError("PURSER_REQUEST_INVALID", "the body ended too early"));
      };
      request.on("error", cut);
      request.on("close", cut);
    });
  }

  #refuseLargest(): void {
    const [first, ...others] = this.#arriving;
    const largest = others.reduce((a, b) => (b.bytes > (a?.bytes ?? 0) ? b : a), first);
    const message = `the bodies that are on their way hold ${this.#heldBytes} bytes already`;
    largest?.refuse(new PurserError("PURSER_OVERLOADED", message));
  }

  #tooLarge(): PurserError {
    return new PurserError("PURSER_REQUEST_TOO_LARGE", `the body is larger than ${this.#limitBytes} bytes`);
  }
}
