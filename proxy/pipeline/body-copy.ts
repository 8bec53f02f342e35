// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../transport/contract/body.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";

/** Receives the outcome of a copy, once. */
export interface BodyCopyEvents {
  onCopied(body: Uint8Array): void;
  onTooLarge(): void;
}

/** Size with which the copy of a body of unknown length begins, in bytes. */
const FIRST_BYTES = 4_096;

/**
 * Passes a body on to its receiver, and copies it. The copy is one buffer, so that a body in tiny chunks takes no more
 * memory than another.
 */
export class BodyCopy implements BodyReceiver {
  readonly #receiver: BodyReceiver;
  readonly #maxBytes: number;
  readonly #events: BodyCopyEvents;
  /** Undefined after the body was found too large. */
  #copy: Uint8Array | undefined;
  #length = 0;

  /** @param expectedBytes The declared length of the body, at most `maxBytes`; undefined for none. */
  constructor(
    receiver: BodyReceiver,
    maxBytes: number,
    expectedBytes: number | undefined,
    events: BodyCopyEvents,
  ) {
    this.#receiver = receiver;
    this.#maxBytes = maxBytes;
    this.#events = events;
    this.#copy = new Uint8Array(expectedBytes ?? FIRST_BYTES);
  }

  onData(chunk: Uint8Array): void {
    this.#add(chunk);
    this.#receiver.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#receiver.onEnd(trailers);
    if (this.#copy !== undefined) this.#events.onCopied(this.#copy.subarray(0, this.#length));
  }

  #add(chunk: Uint8Array): void {
    if (this.#copy === undefined) return;
    const length = this.#length + chunk.byteLength;
    if (length > this.#maxBytes) {
      this.#copy = undefined;
      this.#events.onTooLarge();
      return;
    }
    if (length > this.#copy.byteLength) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(length, 2 * this.#copy.byteLength)));
      larger.set(this.#copy.subarray(0, this.#length));
      this.#copy = larger;
    }
    this.#copy.set(chunk, this.#length);
    this.#length = length;
  }
}
