// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver, BodySink, BodySource } from "./body.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { StreamReset } from "./reset.ts";

/** Receives a response: heads, data, then an end or a reset; or a reset alone. Nothing after the stream's `reset`. */
export interface ClientStreamReceiver extends BodyReceiver {
  /** An informational response other than 100 and 101, which are the codec's matter. */
  onInformational(head: ResponseHead): void;
  /** The response's head. `upgrade` was agreed to when its status is 101. */
  onHead(head: ResponseHead): void;
  /** More of the request may be written. */
  onWritable(): void;
  onReset(reset: StreamReset): void;
}

/** One request on its way to an upstream, and its response on the way back. */
export interface ClientStream extends BodySource, BodySink {
  /** Gives the request up. The receiver hears nothing more. */
  reset(): void;
}

export interface ClientSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
  /** Response header block at most, in bytes. */
  readonly maxHeaderBytes: number;
}

/** The connections to one upstream address. */
export interface TransportClient {
  /**
   * Sends a request, or has it wait for a connection. The receiver is never called before this returns.
   *
   * @param body The whole body when it is at hand. Without it, a body that the head announces comes by `write` and `end`.
   */
  open(head: RequestHead, receiver: ClientStreamReceiver, body?: Uint8Array): ClientStream;
  readonly stats: { readonly connected: number; readonly pending: number };
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts everything at once. */
  destroy(): Promise<void>;
}
