// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A connection of HTTP/2 to an upstream, as the pool sees it: for many requests at a time. */
export interface PooledSession<R> {
  /** Monotonic time at which the pool closes a session that is not established, or idle. The field belongs to the pool. */
  deadlineMs: number;
  /** Monotonic time from which the session takes no further request. The field belongs to the pool. */
  retireAtMs: number;
  isConnecting: boolean;
  /** Number of requests that were sent on it. */
  readonly requests: number;
  /** Number of requests under way. */
  readonly active: number;
  /** Whether it takes a request now. */
  readonly hasRoom: boolean;
  /** Sends a request that it has room for. */
  send(request: R): void;
  /** Takes no further request, and closes the connection with the last one. */
  retire(): void;
  /** Called at fixed intervals: pings an upstream that has been silent, and cuts the connection to one that is dead. */
  checkLife(): void;
  /** Cuts the connection, and resets the requests on it. The pool may get calls. */
  cut(detail: string): void;
}

/** The calls of sessions to their pool. */
export interface SessionOwner<R> {
  onConnected(session: PooledSession<R>): void;
  /** The session could not be established. */
  onConnectFailed(session: PooledSession<R>, detail: string): void;
  /** The session has room for another request, or its last one is over. */
  onRoom(session: PooledSession<R>): void;
  /** The session takes no further request; those under way go on. */
  onLeaving(session: PooledSession<R>): void;
  /** An established session is gone, and the requests on it are over. */
  onClosed(session: PooledSession<R>): void;
}
