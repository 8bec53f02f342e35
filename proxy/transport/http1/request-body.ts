// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/**
 * A request's body on its way upstream. It stands between node's request and undici because undici destroys a body whose
 * request failed, and to destroy node's own would cut the connection on which the reply must still be sent.
 */
export class RequestBody extends Readable {
  readonly #source: IncomingMessage;
  /** How much has come. */
  receivedBytes = 0;
  readonly #onData = (chunk: Buffer): void => {
    this.receivedBytes += chunk.byteLength;
    if (!this.push(chunk)) this.#source.pause();
  };
  readonly #onEnd = (): void => {
    this.push(null);
  };
  readonly #onAborted = (): void => {
    this.destroy(new Error("the downstream closed before the end of its request"));
  };

  constructor(source: IncomingMessage) {
    super({ highWaterMark: 64 * 1024 });
    this.#source = source;
    // undici stops listening when its request is over; an abort after that is of no interest, and must not be thrown.
    this.on("error", () => {});
    source.on("end", this.#onEnd);
    source.on("error", this.#onAborted);
    source.on("data", this.#onData);
    source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.off("data", this.#onData);
    this.#source.off("end", this.#onEnd);
    callback(error);
  }
}
