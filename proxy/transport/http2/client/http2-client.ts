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
import { Http2Request } from "./http2-request.ts";
import { SessionPool } from "./session-pool.ts";

/** HTTP/2, with prior knowledge or over TLS, to one upstream address, by sessions of node:http2. */
export class Http2Client implements TransportClient {
  readonly #pool: SessionPool;
  /** That of the connection: a server may refuse another one. */
  readonly #scheme: "http" | "https";
  #connector: TlsConnector | undefined;

  constructor(settings: ClientSettings) {
    const { tls, credentials } = settings;
    this.#scheme = tls === undefined ? "http" : "https";
    this.#connector = tls === undefined ? undefined : new TlsConnector(tls, credentials, "h2");
    this.#pool = new SessionPool(settings, this.#connector);
  }

  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    let request: Http2Request;
    try {
      request = new Http2Request(head, receiver, body, this.#pool, this.#scheme);
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
