// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver, BodySink, BodySource } from "./body.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { StreamReset } from "./reset.ts";

/**
 * Receives a response: heads, data, then an end or a reset; or a reset alone. No call follows the stream's
 * `reset`.
 */
export interface ClientStreamReceiver extends BodyReceiver {
  /** An informational response (1xx) other than 100 and 101, which the codec handles. */
  onInformational(head: ResponseHead): void;
  /** The response's head. Status 101 means that the upstream accepted the request's `upgrade`. */
  onHead(head: ResponseHead): void;
  /** The request body may continue. */
  onWritable(): void;
  onReset(reset: StreamReset): void;
}

/** A request to an upstream, and its response. */
export interface ClientStream extends BodySource, BodySink {
  /** Cancels the request. No further call reaches the receiver. */
  reset(): void;
}

export interface ClientSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
  /** Maximum size of a response's header block, in bytes. */
  readonly maxHeaderBytes: number;
}

/** The connections to one upstream address. */
export interface TransportClient {
  /**
   * Sends a request, or queues it for a connection. Never calls the receiver before it returns.
   *
   * @param body The whole body, if it has been buffered. Otherwise a body that the head declares must follow
   * by `write` and `end`.
   */
  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream;
  readonly stats: { readonly connected: number; readonly pending: number };
  /** Lets requests under way finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts every connection at once. */
  destroy(): Promise<void>;
}
