// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scheduler } from "../../../kernel/ports.ts";
import type { BodyReceiver, BodySink, BodySource } from "./body.ts";
import type { ConnectionFacts } from "./connection.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { HeaderList } from "./header-list.ts";
import type { ResetReason } from "./reset.ts";

/** Events on the client's side of a stream under way. */
export interface ServerStreamEvents {
  /** More of the response may be written. */
  onWritable(): void;
  /** Nothing has moved on the stream for the idle limit. */
  onIdle(): void;
  /** The rest of the request is not the protocol. A response can still be sent. */
  onMalformed(detail: string): void;
  /** The last call of all: undefined when the whole response was handed to the connection. */
  onClose(reason: ResetReason | undefined): void;
}

/** The client's side of one exchange: the request comes in, the response goes out. */
export interface ServerStream extends BodySource, BodySink {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  /** Set by whoever takes the stream, before it returns. */
  events: ServerStreamEvents | undefined;
  /**
   * Begins to read the request's body; the client is told to go on if it waits for that (100 Continue). Once at most, and
   * after the head of a 101 for a request with `upgrade`. The receiver hears nothing after the response's end.
   */
  read(receiver: BodyReceiver): void;
  /** Sends an informational response (RFC 9110, section 15.2), if the client's protocol has them. */
  sendInformational(head: ResponseHead): void;
  /** Throws when a field cannot be sent; another head may follow then. */
  sendHead(head: ResponseHead): void;
  /** The connection ends with this stream: nothing more is read from it. Before `sendHead`. */
  closeConnectionAfter(): void;
  /** Ends the stream at once, so that the client sees that its response is not whole. */
  reset(): void;
}

/** Reasons for which bytes on a connection never became a stream. */
export type RefusalReason =
  | "bad_request"
  | "method_not_allowed"
  | "request_headers_too_large"
  | "request_timeout";

/** A response with its whole body. */
export interface WholeResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** Receives the streams of a server's connections. */
export interface ServerHandler {
  /** Must set `stream.events`. */
  onStream(stream: ServerStream): void;
  /** Returns the reply to bytes that were refused before they were a stream. */
  onRefused(reason: RefusalReason, detail: string): WholeResponse;
}

/** Bounds on what clients may take; the defaults are Envoy's where it has any. */
export interface ServerLimits {
  /** Default 10000; beyond it new connections are closed at once. */
  readonly maxConnections: number;
  /** Default 60 KiB; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** From the first byte of a request, or from the connection, to the end of its headers; default 10 s, then 408. */
  readonly headersTimeoutMs: number;
  /** Without a request under way; default 1 hour. */
  readonly connectionIdleMs: number;
  /** Within a request or an upgraded connection, without a byte either way; default 5 minutes. */
  readonly streamIdleMs: number;
}

export interface ServerSettings {
  readonly limits: ServerLimits;
  /** Protocols that requests may upgrade to, in lower case. A request for another one is an ordinary request. */
  readonly upgradeProtocols: readonly string[];
  readonly scheduler: Scheduler;
  /** The id of a new connection. */
  readonly newConnectionId: () => string;
}

/** One listening address with its connections. */
export interface TransportServer {
  /** Rejects with the operating system's error. */
  listen(host: string, port: number): Promise<void>;
  /** The port that it really has; undefined when it does not listen. */
  readonly port: number | undefined;
  /**
   * Takes nothing new, and ends each connection with the stream under way on it. Resolves when all are closed, and the
   * events of every stream have been told.
   */
  close(): Promise<void>;
  /** Cuts every connection, and with it the stream under way. */
  cut(): void;
}
