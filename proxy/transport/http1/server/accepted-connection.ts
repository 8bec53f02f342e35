// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import type { ServerHandler } from "../../contract/server.ts";
import type { LimitClock } from "./time-limits.ts";

/** A client's connection, as the server sees it. */
export interface AcceptedConnection {
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
  onPreface(connection: AcceptedConnection, socket: Socket, id: string, first: Buffer): void;
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
  id: string,
  server: ConnectionServer,
  first: Buffer,
) => AcceptedConnection;
