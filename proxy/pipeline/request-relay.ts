// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exchange } from "../exchange/exchange.ts";
import type { BodyReceiver } from "../transport/contract/body.ts";
import type { ClientStream } from "../transport/contract/client.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ServerStream } from "../transport/contract/server.ts";

/** Relays a request's body, or the bytes of an upgraded connection, to the upstream. */
export class RequestRelay implements BodyReceiver {
  readonly #exchange: Exchange;
  readonly #downstream: ServerStream;
  readonly #upstream: ClientStream;
  /** Called once with the trailers, before they are sent. */
  readonly #onEnd: (trailers: HeaderList | undefined) => void;

  constructor(
    exchange: Exchange,
    downstream: ServerStream,
    upstream: ClientStream,
    onEnd: (trailers: HeaderList | undefined) => void,
  ) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#upstream = upstream;
    this.#onEnd = onEnd;
  }

  onData(chunk: Uint8Array): void {
    this.#exchange.requestBytes += chunk.byteLength;
    if (!this.#upstream.write(chunk)) this.#downstream.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#onEnd(trailers);
    this.#upstream.end(trailers);
  }
}

/** Buffers a request's whole body, so that it can be sent again. For bodies with a small declared length. */
export class RequestBuffer implements BodyReceiver {
  readonly #exchange: Exchange;
  readonly #chunks: Uint8Array[] = [];
  readonly #onBody: (body: Uint8Array) => void;

  constructor(exchange: Exchange, onBody: (body: Uint8Array) => void) {
    this.#exchange = exchange;
    this.#onBody = onBody;
  }

  onData(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#exchange.requestBytes += chunk.byteLength;
  }

  onEnd(): void {
    this.#onBody(Buffer.concat(this.#chunks));
  }
}
