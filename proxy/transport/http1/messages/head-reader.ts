// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MessageFault } from "./message-fault.ts";

/** Collects the bytes of a message's head, up to its empty line. */
export class HeadReader {
  /** The head's text, one character per byte, with its empty line. Set when `read` returned an offset. */
  text = "";
  /** Set when `read` returned -1 because no further byte could make the head acceptable. */
  fault: MessageFault | undefined;
  readonly #maxBytes: number;

  /** @param maxBytes Maximum size of a head, in bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a byte of a head has arrived since the last one (leading empty lines do not count). */
  get started(): boolean {
    return this.text !== "";
  }

  /**
   * Reads a chunk from an offset on.
   *
   * @returns The offset after the head; -1 when the head is not complete, or has a `fault`.
   */
  read(_chunk: Buffer, _offset: number): number {
    this.fault = new MessageFault("request_headers_too_large", String(this.#maxBytes));
    return -1;
  }

  /** Prepares for the next head. */
  reset(): void {
    this.text = "";
    this.fault = undefined;
  }
}
