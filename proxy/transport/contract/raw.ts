// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PassthroughServer } from "../../../core/traffic/resources/tcp.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ConnectionFacts, ProxiedEnds } from "./connection.ts";

/** The bytes of one connection, in both directions: the part of a duplex stream of Node that is used. */
export interface RawSocket {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "drain" | "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  /** Returns false when the caller should wait for `drain`. */
  write(chunk: Uint8Array, onTaken?: () => void): boolean;
  end(): unknown;
  destroy(): unknown;
  /** Closes the connection so that the peer sees a reset; absent where that cannot be told, as over TLS. */
  resetAndDestroy?(): unknown;
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  /** Number of bytes that were written and not taken yet. */
  readonly writableLength: number;
}

/** A client's connection whose bytes are not read as HTTP. */
export interface RawConnection {
  /** Half-open: its end in one direction leaves the other direction open. Nothing was read from it. */
  readonly socket: RawSocket;
  readonly facts: ConnectionFacts;
  /** Server name (SNI) that the client asked for, whether TLS ends here or not; undefined without one. */
  readonly serverName: string | undefined;
  /** Name of the table with the connection's routes. */
  readonly routeTable: string;
  /** Must be called once, when the connection is over and its socket is closed. */
  onClosed(): void;
}

/** A raw connection under way, as its server sees it. */
export interface RawSession {
  /** The connection's server has changed or is gone: the session ends within a few seconds. Idempotent. */
  retire(): void;
  /** Cuts the connection at once. Idempotent. */
  cut(): void;
}

/** The kinds of raw connections that a listener accepts. */
export interface RawServers {
  /** Table of the connections in plain text; undefined: plain text is HTTP. */
  readonly plainTable: string | undefined;
  /** Servers that forward TLS as it is. */
  readonly passthrough: readonly PassthroughServer[];
}

export const NO_RAW_SERVERS: RawServers = { plainTable: undefined, passthrough: [] };

/** The outcome of an attempt to connect: one call, never before `dial` has returned. */
export interface DialEvents {
  /** The connection is open, and with TLS the server is verified. The socket is half-open, and nothing was read from it. */
  onConnected(socket: RawSocket): void;
  onFailed(detail: string): void;
}

/** Opens connections to one upstream address for bytes alone. None is kept or reused. */
export interface RawDialer {
  /**
   * Begins a connection.
   *
   * @param ends The client's ends, for the header of the PROXY protocol.
   * @returns Gives up the attempt, so that no event follows, or closes the connection.
   */
  dial(ends: ProxiedEnds, events: DialEvents): Cancel;
  /** Lets the certificates go. Connections that are open stay so. */
  close(): void;
}
