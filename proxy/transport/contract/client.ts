// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { UpstreamTls } from "../../../core/traffic/resources/tls.ts";
import type { Clock, Scheduler } from "../../../kernel/ports.ts";
import type { TlsFault } from "../tls/client/tls-fault.ts";
import type { ProxiedEnds } from "./connection.ts";
import type { CredentialStore } from "../tls/credentials/credential-store.ts";
import type { MeshTls } from "../tls/peers/mesh-tls.ts";
import type { BodyReceiver, BodySink, BodySource } from "./body.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { StreamReset } from "./reset.ts";

/**
 * Receives a response: heads, data, then an end or a reset; or a reset alone. No call follows the stream's
 * `reset`.
 */
export interface ClientStreamReceiver extends BodyReceiver {
  /** An informational response (1xx) other than 101; 100 too, whether the request asked for it or not. */
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
  /** `http2`: with prior knowledge (RFC 9113, section 3.3). */
  readonly protocol: "http1" | "http2";
  /** Maximum number of requests under way on a connection of HTTP/2; the upstream's own limit counts, too. */
  readonly maxConcurrentStreams: number;
  /** Maximum time to open a connection, and maximum time that a request waits for one; 0 for no limit. */
  readonly connectTimeoutMs: number;
  /** Maximum number of connections; further requests wait, first in, first out. */
  readonly maxConnections: number;
  /** Maximum number of requests that wait for a connection; further requests are reset with `overflow`. */
  readonly maxPendingRequests: number;
  /** Number of requests after which a connection is closed; 0 for no limit. */
  readonly maxRequestsPerConnection: number;
  /** Age at which a connection is closed, once the request on it is over; 0 for no limit. */
  readonly maxConnectionDurationMs: number;
  /** Time without a request after which a connection is closed; 0 for no limit. */
  readonly idleTimeoutMs: number;
  /** Idle time before the first TCP keep-alive probe; 0 for no probes. */
  readonly tcpKeepaliveTimeMs: number;
  /** Maximum size of a response's header block, in bytes. */
  readonly maxHeaderBytes: number;
  /** TLS on the connections; undefined for plain text. `connectTimeoutMs` is for the handshake too. */
  readonly tls: UpstreamTls | undefined;
  /** Version of the PROXY protocol's header that each connection begins with; default none. */
  readonly proxyProtocol?: 1 | 2 | undefined;
  /**
   * With `proxyProtocol`, the ends that the header tells; default: that the proxy speaks for itself, as in a health check.
   */
  readonly proxiedEnds?: ProxiedEnds | undefined;
  readonly credentials: CredentialStore;
  /** Called when a connection does not open because of TLS. */
  readonly onTlsFault?: (fault: TlsFault) => void;
  /** For `tls` with `peers`; undefined for a proxy without a workload's certificate. */
  readonly mesh?: MeshTls | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** The connections to one upstream address. */
export interface TransportClient {
  /**
   * Sends a request, or queues it for a connection. Never calls the receiver before it returns.
   *
   * @param body The whole body, if it has been buffered. Otherwise a body that the head declares must follow
   * by `write` and `end`.
   * @param ends The ends of the client's connection, where the client keeps connections by them.
   */
  open(
    head: RequestHead,
    receiver: ClientStreamReceiver,
    body?: Uint8Array,
    ends?: ProxiedEnds,
  ): ClientStream;
  /** Must be called when a stream is over, if it is there. */
  closed?(stream: ClientStream): void;
  readonly stats: { readonly connected: number; readonly pending: number };
  /** Lets requests under way finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts every connection at once. */
  destroy(): Promise<void>;
}
