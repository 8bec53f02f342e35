// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../transport/contract/body.ts";
import type { HeaderList } from "../../transport/contract/header-list.ts";
import { Base64Decoder } from "./base64-decoder.ts";

/** Decodes a request's body from base64 on its way to a receiver. A fault of the text ends it. */
export class DecodedBody implements BodyReceiver {
  readonly #receiver: BodyReceiver;
  readonly #onFault: (detail: string) => void;
  readonly #decoder = new Base64Decoder();
  #isFaulty = false;

  /** @param onFault Called once at most, and no call of the receiver follows. */
  constructor(receiver: BodyReceiver, onFault: (detail: string) => void) {
    this.#receiver = receiver;
    this.#onFault = onFault;
  }

  onData(chunk: Uint8Array): void {
    if (this.#isFaulty) return;
    const bytes = this.#decoder.decode(chunk);
    if (bytes === undefined) this.#fail("The body of the gRPC-Web request is not base64.");
    else if (bytes.byteLength > 0) this.#receiver.onData(bytes);
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#isFaulty) return;
    if (this.#decoder.isComplete) this.#receiver.onEnd(trailers);
    else this.#fail("The body of the gRPC-Web request ends within a group of base64.");
  }

  #fail(detail: string): void {
    this.#isFaulty = true;
    this.#onFault(detail);
  }
}
