// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";

import type { ClientStreamReceiver } from "../contract/client.ts";

/**
 * A request's body in the form that undici takes. Until undici has a connection and asks, chunks wait outside of the stream:
 * undici would count a body that has ended by then, and replace its chunked framing by a length.
 */
export class RequestBody extends Readable {
  readonly #receiver: ClientStreamReceiver;
  /** Undefined once undici has asked. */
  #early: Uint8Array[] | undefined = [];
  #isFull = false;
  #isFinished = false;

  constructor(receiver: ClientStreamReceiver) {
    super({ highWaterMark: 64 * 1024 });
    this.#receiver = receiver;
    // undici destroys the body of a request that failed, and tells the failure itself.
    this.on("error", () => {});
  }

  /** False when no more should come until `onWritable`. */
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
