// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { latin1At } from "./latin1.ts";
import { MessageFault } from "./message-fault.ts";

/** Number of empty lines that a server ignores before a request line (RFC 9112, section 2.2, says "at least one"). */
const LEADING_EMPTY_LINES_MAX = 2;

/** How far a first look goes: a chunk with a small head and much of a body is not converted whole. */
const FIRST_LOOK_BYTES = 4096;

/** Bytes that no head has, as soon as they arrive: control characters, and a CR or LF that is not in a CRLF. */
const NEVER = /[^\t\r\n\x20-\x7e\x80-\xff]|\r[^\n]|[^\r]\n/;

export type HeadKind = "request" | "response" | "trailers";

/** The beginning of every response: an upstream that speaks another protocol is refused at once. */
const RESPONSE_START = "HTTP/1.";

/** Collects the bytes of a message's head, up to its empty line. */
export class HeadReader {
  /** The head's text, one character per byte, with its empty line. Set when `read` returned an offset. */
  text = "";
  /** Set when `read` returned -1 because no further byte could make the head acceptable. */
  fault: MessageFault | undefined;
  readonly #maxBytes: number;
  readonly #kind: HeadKind;
  #emptyBytes = 0;
  /** The end of `text`, which is a rope. */
  #tail = "";

  /**
   * @param maxBytes Maximum size of a head, in bytes.
   * @param kind Trailers are read like a head: they end with the same empty line.
   */
  constructor(maxBytes: number, kind: HeadKind = "request") {
    this.#maxBytes = maxBytes;
    this.#kind = kind;
  }

  /** Whether a byte of the next head has arrived; empty lines before it do not count. */
  get started(): boolean {
    return this.text !== "";
  }

  /**
   * Reads a chunk from an offset on.
   *
   * @returns The offset after the head; -1 when the head is not complete, or has a `fault`.
   */
  read(chunk: Buffer, offset: number): number {
    if (this.text !== "") return this.#continue(chunk, offset);
    const first = chunk[offset];
    if (first === CR || first === LF || this.#emptyBytes > 0) {
      const start = this.#skipEmptyLines(chunk, offset);
      return start < 0 || start === chunk.length ? -1 : this.#begin(chunk, start);
    }
    return this.#begin(chunk, offset);
  }

  /** Whether empty lines came before the head. */
  get hasEmptyLines(): boolean {
    return this.#emptyBytes > 0;
  }

  /** Prepares for the next head. */
  reset(): void {
    this.text = "";
    this.fault = undefined;
    this.#emptyBytes = 0;
  }

  #begin(chunk: Buffer, start: number): number {
    const firstEnd = Math.min(chunk.length, start + Math.min(FIRST_LOOK_BYTES, this.#maxBytes));
    const text = latin1At(chunk, start, firstEnd);
    const at = text.indexOf("\r\n\r\n");
    if (at >= 0) {
      const length = at + 4;
      this.text = length === text.length ? text : text.slice(0, length);
      return start + length;
    }
    this.text = text;
    this.#tail = text.slice(-TAIL_LENGTH);
    if (NEVER.test(text) || this.#isNoResponse(text)) return this.#refuseBytes();
    if (firstEnd < chunk.length || text.length >= this.#maxBytes) return this.#continue(chunk, firstEnd);
    return -1;
  }

  /**
   * Only the new bytes are searched, with the three before them, and the text stays a rope until it is whole: a head that
   * arrives byte by byte costs no more than linear time.
   */
  #continue(chunk: Buffer, offset: number): number {
    const before = this.text.length;
    const room = this.#maxBytes - before;
    const added = latin1At(chunk, offset, Math.min(chunk.length, offset + room));
    const seen = this.#tail + added;
    const at = seen.indexOf("\r\n\r\n");
    if (at >= 0) {
      const length = at + 4 - this.#tail.length;
      this.text += length === added.length ? added : added.slice(0, length);
      return offset + length;
    }
    this.text += added;
    this.#tail = seen.slice(-TAIL_LENGTH);
    if (NEVER.test(seen)) return this.#refuseBytes();
    if (before < RESPONSE_START.length && this.#isNoResponse(this.text)) return this.#refuseBytes();
    if (this.text.length < this.#maxBytes) return -1;
    this.fault = new MessageFault(
      "request_headers_too_large",
      `A head may have at most ${this.#maxBytes} bytes.`,
    );
    return -1;
  }

  /** @returns The offset of the first other byte; -1 after a fault. */
  #skipEmptyLines(chunk: Buffer, offset: number): number {
    let at = offset;
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      const isLineFeed = this.#emptyBytes % 2 === 1;
      if (byte !== (isLineFeed ? LF : CR)) {
        if (!isLineFeed && byte !== LF) return at;
        return this.#refuseBytes();
      }
      const most = this.#kind === "request" ? 2 * LEADING_EMPTY_LINES_MAX : 0;
      if (++this.#emptyBytes > most) return this.#refuseBytes();
    }
    return at;
  }

  #isNoResponse(text: string): boolean {
    return this.#kind === "response" && !RESPONSE_START.startsWith(text.slice(0, RESPONSE_START.length));
  }

  #refuseBytes(): number {
    this.fault = new MessageFault("bad_request", "The head has bytes that no HTTP/1.1 message has.");
    return -1;
  }
}

/** The empty line's bytes that an earlier chunk may have. */
const TAIL_LENGTH = 3;
const CR = 0x0d;
const LF = 0x0a;
