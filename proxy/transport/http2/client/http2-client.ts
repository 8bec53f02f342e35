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
import { Http2Request } from "./http2-request.ts";
import { SessionPool } from "./session-pool.ts";

/** HTTP/2 with prior knowledge to one upstream address, by sessions of node:http2. */
export class Http2Client implements TransportClient {
  readonly #pool: SessionPool;

  constructor(settings: ClientSettings) {
    this.#pool = new SessionPool(settings);
  }

  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    let request: Http2Request;
    try {
      request = new Http2Request(head, receiver, body, this.#pool);
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

  close(): Promise<void> {
    return this.#pool.drain();
  }

  async destroy(): Promise<void> {
    this.#pool.cut();
  }
}
