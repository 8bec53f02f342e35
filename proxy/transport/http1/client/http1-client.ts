// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  ClientSettings,
  ClientStream,
  ClientStreamReceiver,
  TransportClient,
} from "../../contract/client.ts";
import type { RequestHead } from "../../contract/head.ts";
import { RefusedStream } from "../../contract/refused-stream.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";
import { TlsConnector } from "../../tls/client/tls-connector.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { RequestStream } from "./request-stream.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** HTTP/1.1 to one upstream address, by a pool of connections of its own. */
export class Http1Client implements TransportClient {
  readonly #pool: ConnectionPool<RequestStream>;
  #connector: TlsConnector | undefined;

  constructor(settings: ClientSettings) {
    const { tls, credentials } = settings;
    const connector = tls === undefined ? undefined : new TlsConnector(tls, credentials, "http/1.1");
    this.#connector = connector;
    this.#pool = new ConnectionPool<RequestStream>(
      settings,
      (owner) => new UpstreamConnection(settings, connector, owner),
    );
  }

  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    let stream: RequestStream;
    try {
      stream = new RequestStream(head, receiver, body, this.#pool);
    } catch (error) {
      if (error instanceof UnsendableHead) return new RefusedStream(receiver, "unsendable", error.message);
      throw error;
    }
    const refusal = this.#pool.submit(stream);
    if (refusal === undefined) return stream;
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
