// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Agent } from "node:http";
import { Pool } from "undici";

import type {
  ClientSettings,
  ClientStream,
  ClientStreamReceiver,
  TransportClient,
} from "../contract/client.ts";
import type { RequestHead } from "../contract/head.ts";
import { NodeHttpClientStream } from "../node-http/node-http-client-stream.ts";
import { UndiciStream } from "./undici-stream.ts";

/**
 * HTTP/1.1 by undici's connection pool. undici cannot write trailers: node:http sends a request that
 * announces some, on a connection of its own.
 */
export class UndiciClient implements TransportClient {
  readonly #settings: ClientSettings;
  readonly #pool: Pool;
  readonly #agent: Agent;

  constructor(settings: ClientSettings) {
    const { host, port, connectTimeoutMs, maxConnections, maxHeaderBytes } = settings;
    this.#settings = settings;
    this.#agent = new Agent({ maxSockets: maxConnections });
    this.#pool = new Pool(`http://${host.includes(":") ? `[${host}]` : host}:${port}`, {
      connections: maxConnections,
      connectTimeout: connectTimeoutMs,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      // The proxy has its own timeouts, for the whole request and for each try.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Below the 5 s keep-alive of Node's own servers, so that a request seldom meets a connection that is
      // closing.
      keepAliveTimeout: 4_000,
    });
  }

  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream {
    const mayHaveTrailers = head.hasBody && head.contentLength === undefined && head.headers.has("trailer");
    if (mayHaveTrailers) return new NodeHttpClientStream(head, this.#settings, this.#agent, receiver);
    const stream = new UndiciStream(receiver, head.hasBody && body === undefined);
    this.#pool.dispatch(
      {
        method: head.method,
        path: head.target,
        headers: head.headers.wire() as string[],
        body: body ?? stream.requestBody ?? null,
        upgrade: head.upgrade ?? null,
      },
      stream,
    );
    return stream;
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    const { connected, pending } = this.#pool.stats;
    return { connected, pending };
  }

  async close(): Promise<void> {
    if (!this.#pool.closed) await this.#pool.close();
  }

  async destroy(): Promise<void> {
    this.#agent.destroy();
    if (!this.#pool.destroyed) await this.#pool.destroy();
  }
}
