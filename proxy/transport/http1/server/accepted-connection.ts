// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { TlsServer } from "../../../../core/traffic/resources/tls.ts";
import type { SecureConnection } from "../../tls/server/tls-acceptor.ts";
import type { ConnectionFacts } from "../../contract/connection.ts";
import type { ServerHandler } from "../../contract/server.ts";
import type { LimitClock } from "./time-limits.ts";

/** Facts that a connection knows of its handshake, beside the secure socket. */
export type Secure = Omit<SecureConnection, "socket">;

/** A client's connection, as the server sees it. */
export interface AcceptedConnection {
  /** The server of the listener that accepted the connection; undefined without TLS. */
  readonly tlsServer: TlsServer | undefined;
  readonly facts: ConnectionFacts;
  /** Ends the connection as a drain of the server does. */
  retire(): void;
  /** Checks the time limits; called at every tick. */
  onTick(): void;
  /** The length of a tick has changed: see TimeLimits.rescale. */
  rescale(factor: number): void;
  /** Cuts the connection. `visibly`: the client must not take its end for the end of a response. */
  cut(visibly: boolean): void;
}

/** The server as its connections see it. */
export interface ConnectionServer extends LimitClock {
  readonly handler: ServerHandler;
  readonly upgradeProtocols: readonly string[];
  readonly maxHeaderBytes: number;
  /** Whether a client may begin with the preface of HTTP/2. */
  readonly acceptsHttp2: boolean;
  /** Asked for each response: whether it must close its connection. */
  stopsKeepAlive(): boolean;
  /** The client speaks HTTP/2: the socket has no listener any more, and `first` are the bytes that were read from it. */
  onPreface(connection: AcceptedConnection, socket: Socket, first: Buffer, secure: Secure | undefined): void;
  /** The connection is closed, and its streams too. */
  onClosed(connection: AcceptedConnection): void;
}

/**
 * Makes the connection of a codec on an accepted socket.
 *
 * @param first Bytes that were read from the socket already.
 */
export type Accept = (
  socket: Socket,
  facts: ConnectionFacts,
  server: ConnectionServer,
  first: Buffer,
  secure: Secure | undefined,
) => AcceptedConnection;
