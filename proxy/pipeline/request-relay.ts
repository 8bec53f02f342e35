// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exchange } from "../exchange/exchange.ts";
import type { BodyReceiver } from "../transport/contract/body.ts";
import type { ClientStream } from "../transport/contract/client.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ServerStream } from "../transport/contract/server.ts";

/** Receives the end of a request's body. */
export interface RequestEvents {
  /** The whole body was relayed. Called before the trailers are sent. */
  onRequestEnd(trailers: HeaderList | undefined): void;
  /** The whole body was buffered. */
  onRequestBuffered(body: Uint8Array): void;
}

/** Relays a request's body, or the bytes of an upgraded connection, to the upstream. */
export class RequestRelay implements BodyReceiver {
  readonly #exchange: Exchange;
  readonly #downstream: ServerStream;
  readonly #upstream: ClientStream;
  readonly #events: RequestEvents;

  constructor(exchange: Exchange, downstream: ServerStream, upstream: ClientStream, events: RequestEvents) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#upstream = upstream;
    this.#events = events;
  }

  onData(chunk: Uint8Array): void {
    this.#exchange.requestBytes += chunk.byteLength;
    if (!this.#upstream.write(chunk)) this.#downstream.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#events.onRequestEnd(trailers);
    this.#upstream.end(trailers);
  }
}

/** Buffers a request's whole body, so that it can be sent again. For bodies with a small declared length. */
export class RequestBuffer implements BodyReceiver {
  readonly #exchange: Exchange;
  readonly #chunks: Uint8Array[] = [];
  readonly #events: RequestEvents;

  constructor(exchange: Exchange, events: RequestEvents) {
    this.#exchange = exchange;
    this.#events = events;
  }

  onData(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#exchange.requestBytes += chunk.byteLength;
  }

  onEnd(): void {
    this.#events.onRequestBuffered(Buffer.concat(this.#chunks));
  }
}
