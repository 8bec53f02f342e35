// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";

import type { ClientStreamReceiver } from "../contract/client.ts";

/**
 * A request's body as the stream that undici reads. Chunks are held outside of the stream until undici has a
 * connection and reads: undici would measure a body that has ended by then, and replace its chunked framing
 * by a length.
 */
export class RequestBody extends Readable {
  readonly #receiver: ClientStreamReceiver;
  /** Undefined after undici's first read. */
  #early: Uint8Array[] | undefined = [];
  #isFull = false;
  #isFinished = false;

  constructor(receiver: ClientStreamReceiver) {
    super({ highWaterMark: 64 * 1024 });
    this.#receiver = receiver;
    // undici destroys the body of a failed request, and reports the failure itself.
    this.on("error", () => {});
  }

  /** Returns false when the caller should wait for `onWritable` (back-pressure). */
  write(chunk: Uint8Array): boolean {
    if (this.#early === undefined) this.#isFull = !this.push(chunk);
    else {
      this.#early.push(chunk);
      this.#isFull = true;
    }
    return !this.#isFull;
  }

  finish(): void {
    this.#isFinished = true;
    if (this.#early === undefined) this.push(null);
  }

  override _read(): void {
    if (this.#early !== undefined) {
      for (const chunk of this.#early) this.push(chunk);
      this.#early = undefined;
      if (this.#isFinished) process.nextTick(() => this.push(null));
    }
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#receiver.onWritable();
  }
}
