// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientStream, ClientStreamReceiver, TransportClient } from "./contract/client.ts";
import type { RequestHead } from "./contract/head.ts";
import { RefusedStream } from "./contract/refused-stream.ts";
import { UnsendableHead } from "./contract/unsendable-head.ts";
import type { TlsConnector } from "./tls/client/tls-connector.ts";

/** The connections of a client, which send its requests or let them wait. */
interface Pool<R> {
  readonly connected: number;
  readonly pending: number;
  /** Returns the reason why the request is refused; undefined when it is not. */
  submit(request: R): "overflow" | "connection-failure" | undefined;
  drain(): Promise<void>;
  cut(): void;
}

/** A client of any protocol: it makes a request of each head, and hands it to a pool of its own. */
export class PooledClient<R extends ClientStream> implements TransportClient {
  readonly #pool: Pool<R>;
  readonly #newRequest: (
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body: Uint8Array | undefined,
  ) => R;
  #connector: TlsConnector | undefined;

  /**
   * @param connector Opens the pool's connections with TLS; undefined for plain text. The client closes it.
   * @param newRequest Throws UnsendableHead for a head that cannot be sent.
   */
  constructor(
    pool: Pool<R>,
    connector: TlsConnector | undefined,
    newRequest: (head: RequestHead, receiver: ClientStreamReceiver, body: Uint8Array | undefined) => R,
  ) {
    this.#pool = pool;
    this.#connector = connector;
    this.#newRequest = newRequest;
  }

  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    let request: R;
    try {
      request = this.#newRequest(head, receiver, body);
    } catch (error) {
      if (error instanceof UnsendableHead) return new RefusedStream(receiver, "unsendable", error.message);
      throw error;
    }
    const refusal = this.#pool.submit(request);
    if (refusal === undefined) return request;
    const detail =
      refusal === "overflow" ? "too many requests wait for a connection" : "the client is closed";
    return new RefusedStream(receiver, refusal, detail);
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    return { connected: this.#pool.connected, pending: this.#pool.pending };
  }

  async close(): Promise<void> {
    await this.#pool.drain();
    this.#closeConnector();
  }

  async destroy(): Promise<void> {
    this.#pool.cut();
    this.#closeConnector();
  }

  #closeConnector(): void {
    this.#connector?.close();
    this.#connector = undefined;
  }
}
