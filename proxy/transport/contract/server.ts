// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ListenerLimits } from "../../../core/traffic/resources/listener.ts";
import type { TlsServer } from "../../../core/traffic/resources/tls.ts";
import type { Scheduler } from "../../../kernel/ports.ts";
import type { BodyReceiver, BodySink, BodySource } from "./body.ts";
import type { ConnectionFacts } from "./connection.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { HeaderList } from "./header-list.ts";
import type { HandshakeResult, TlsServices } from "./tls.ts";
import type { RawConnection, RawServers, RawSession } from "./raw.ts";
import type { ResetCause, ResetReason } from "./reset.ts";

/** Events on the client's side of a stream under way. */
export interface ServerStreamEvents {
  /** The response body may continue. */
  onWritable(): void;
  /**
   * No byte was received, and none was taken by the client, for the idle limit; or the request took longer than its
   * maximum time.
   */
  onIdle(): void;
  /** The rest of the request violates the protocol. A response can still be sent. */
  onMalformed(detail: string): void;
  /** The last call; undefined when the whole response was handed to the connection. */
  onClose(reason: ResetReason | undefined): void;
}

/** The client's side of one exchange: the request arrives, the response is sent. */
export interface ServerStream extends BodySource, BodySink {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  /** Must be set in `onStream`, before it returns. */
  events: ServerStreamEvents | undefined;
  /**
   * Begins to read the request's body. Call it once at most, and for a request with `upgrade` after the head of a 101.
   * The receiver may be called before it returns, and gets no calls after the response's end.
   */
  read(receiver: BodyReceiver): void;
  /**
   * Sends an informational response (RFC 9110, section 15.2), if the client's protocol has them. A client that
   * waits for 100 Continue gets it only by this call: the upstream decides.
   */
  sendInformational(head: ResponseHead): void;
  /** Throws when a field cannot be sent; the caller may then send another head. */
  sendHead(head: ResponseHead): void;
  /**
   * Ends the connection with this stream: no further request is read from it. Call it before `sendHead`. Without effect in
   * HTTP/2, where a faulty request says nothing about the next.
   */
  closeConnectionAfter(): void;
  /**
   * Ends the stream at once, so that the client sees that its response is incomplete.
   *
   * @param cause Told to the client, if its protocol can; by default, the client is told of an error.
   */
  reset(cause?: ResetCause): void;
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

/** Events of connections that are counted; the names follow Envoy's listener statistics. */
export type ConnectionEvent =
  /** A connection was refused because `maxConnections` were open. */
  | "overflow"
  /** A connection was refused because the process is short of memory. */
  | "overload_reject"
  /** A response closed its connection because the process is short of memory. */
  | "overload_disable_keepalive"
  /** An idle connection was closed by the drain. */
  | "drain_close"
  /** A connection of HTTP/2 was closed because the client passed one of its limits for frames. */
  | "http2_flood"
  /** A connection did not begin with a header of the PROXY protocol, or not in time. */
  | "proxy_protocol_error";

/** Receives the streams of a server's connections. */
export interface ServerHandler {
  /** Must set `stream.events`. */
  onStream(stream: ServerStream): void;
  /** Returns the reply to bytes that were refused before they became a stream. */
  onRefused(reason: RefusalReason, detail: string): WholeResponse;
  onConnectionEvent(event: ConnectionEvent): void;
  /** Called once for each TLS handshake. */
  onHandshake(result: HandshakeResult): void;
  /** Takes a connection that is not HTTP. */
  onRaw(connection: RawConnection): RawSession;
}

export interface ServerSettings {
  readonly limits: ListenerLimits;
  /**
   * Accepted upgrade protocols, in lower case. A request to upgrade to another protocol is an ordinary
   * request.
   */
  readonly upgradeProtocols: readonly string[];
  readonly scheduler: Scheduler;
  /** Returns the id of a new connection. */
  readonly newConnectionId: () => string;
  readonly tls: TlsServices;
  /** The servers that terminate TLS; empty for plain text. */
  readonly tlsServers: readonly TlsServer[];
  /** Whether a connection may be plain text where there are `tlsServers`; its first bytes tell. Default: false. */
  readonly acceptsPlainText?: boolean;
  /** Whether each connection must begin with a header of the PROXY protocol, which tells the client's address. */
  readonly proxyProtocol: boolean;
  /** Connections that are not HTTP; default none. */
  readonly rawServers?: RawServers;
}

/** One listening address with its connections. */
export interface TransportServer {
  /** Rejects with the operating system's error. */
  listen(host: string, port: number): Promise<void>;
  /** The actual port; undefined while it does not listen. */
  readonly port: number | undefined;
  /**
   * Replaces the limits, without an end to any connection for it. A connection that is open already keeps the head limit
   * with which it began, and counts for `maxConnections`; its time limits are the new ones from the next check on. Without
   * effect after `close`.
   */
  setLimits(limits: ListenerLimits): void;
  /**
   * Replaces the servers that terminate TLS; empty for plain text. A connection of a server that has changed or is gone
   * ends with the request under way on it, or is retired when it is raw. Without effect after `close`.
   *
   * @param raw Connections that are not HTTP; default none.
   * @param acceptsPlainText Whether a connection may be plain text too; default: false. When it may no longer, open
   * connections in plain text end in the same way.
   */
  setTlsServers(servers: readonly TlsServer[], raw?: RawServers, acceptsPlainText?: boolean): void;
  /** Whether connections that come from now on must begin with a header of the PROXY protocol. */
  setProxyProtocol(isRequired: boolean): void;
  /**
   * Resolves when the connections are accepted that clients had made before the call, which `close` would reset; after
   * `limitMs` at the latest.
   */
  acceptWaiting(limitMs: number): Promise<void>;
  /**
   * Accepts no new connections, and ends each connection with the stream under way on it, idle ones after
   * `drainGraceMs`. Resolves when all connections are closed and every stream's `onClose` was called.
   *
   * @param deadlineMs Time after which the caller cuts what is left; idle connections are left half of it at most.
   */
  close(deadlineMs: number): Promise<void>;
  /** Cuts every connection, with the stream under way on it. */
  cut(): void;
}
