// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ResetReason } from "../../contract/reset.ts";
import type { Linked } from "../../../../kernel/linked-list.ts";

/** A request, as the pool sees it. */
export interface PooledRequest extends Linked<PooledRequest> {
  /** Monotonic time until which the request may wait. The field belongs to the pool. */
  deadlineMs: number;
  /** Ends a request that got no connection. */
  refuse(reason: ResetReason, detail: string): void;
}

/** A request that has its connection to itself. */
export interface ExclusiveRequest extends PooledRequest {
  /** Whether the request is sent again when its connection turns out to be stale. */
  readonly isRepeatable: boolean;
}

/** A connection, as the pool sees it: to one upstream, for one request at a time. */
export interface PooledConnection<R> extends Linked<PooledConnection<R>> {
  /** Monotonic time at which the pool closes a connection that is not established, or idle. */
  deadlineMs: number;
  /** Monotonic time from which the connection takes no further request. */
  retireAtMs: number;
  isConnecting: boolean;
  /** The reads at which its last response was complete, by `readsNow`; -Infinity before the first. The field belongs to the pool. */
  freeAtReads: number;
  /** Number of requests that were sent on it. */
  readonly requests: number;
  /** The time without a request after which the upstream closes it; Infinity when the upstream did not say. */
  readonly keepAliveMs: number;
  /** Sends a request. Calls no receiver before it returns. */
  send(request: R): void;
  /** Closes the connection, which has no request. The pool gets no call. */
  close(): void;
  /** Closes the connection with the request on it, which is reset. The pool gets no call. */
  cut(): void;
}

/** The calls of connections to their pool. */
export interface ConnectionOwner<R> {
  onConnected(connection: PooledConnection<R>): void;
  /** The connection could not be established. */
  onConnectFailed(connection: PooledConnection<R>, detail: string): void;
  /** The request is over, and the connection can take another. */
  onReleased(connection: PooledConnection<R>): void;
  /** An established connection is closed, whether idle or not. */
  onClosed(connection: PooledConnection<R>): void;
  /** The upstream closed a connection that it had kept alive, under a request. Called before `onClosed`. */
  onStale(): void;
}
