// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel } from "../../../../kernel/ports.ts";
import type { ClientSettings } from "../../contract/client.ts";
import { LinkedList } from "../../../../kernel/linked-list.ts";
import { afterNextReads, readsNow, wereReadsAfter } from "../turn.ts";
import type { ConnectionOwner, ExclusiveRequest, PooledConnection, PooledRequest } from "./pooled.ts";

/** Sweeps are at least this far apart: deadlines that are close to each other share one. */
const MIN_SWEEP_MS = 10;

/** The longest delay of a Node.js timer is 2^31 - 1 ms; a longer one fires at once. */
const MAX_SWEEP_MS = 2 ** 31 - 1;

type PoolSettings = Pick<
  ClientSettings,
  | "connectTimeoutMs"
  | "maxConnections"
  | "maxPendingRequests"
  | "maxRequestsPerConnection"
  | "maxConnectionDurationMs"
  | "idleTimeoutMs"
  | "clock"
  | "scheduler"
>;

/**
 * The connections to one upstream address, and the requests that wait for one.
 *
 * - The connection that became idle last is used first, so that connections which the load does not need reach
 *   their idle timeout.
 * - Waiting requests are served first in, first out. A new connection serves the request that waits longest,
 *   whichever request it was opened for.
 * - A request that cannot be repeated gets a used connection once that was read after its last response: an end that
 *   came with the response is known then.
 * - A request that leaves the queue leaves nothing behind: a connection is opened only while more requests wait
 *   than connections are being opened.
 * - A connection that cannot be established fails one request. After such a failure, connections are opened one
 *   at a time until one succeeds: an upstream that is down or overloaded gets no burst of attempts.
 * - One timer serves all time limits of the pool. It is armed for the earliest of them and re-armed only for an
 *   earlier one, so that requests seldom touch it.
 */
export class ConnectionPool<R extends ExclusiveRequest> implements ConnectionOwner<R> {
  readonly #settings: PoolSettings;
  readonly #connect: (owner: ConnectionOwner<R>) => PooledConnection<R>;
  readonly #connections = new Set<PooledConnection<R>>();
  readonly #idle = new LinkedList<PooledConnection<R>>();
  readonly #waiting = new LinkedList<PooledRequest>();
  #connecting = 0;
  /** Number of connections that are free after the next reads. */
  #settling = 0;
  #lastConnectFailed = false;
  #isClosing = false;
  readonly #onDrained: (() => void)[] = [];
  #sweepAtMs = Infinity;
  #cancelSweep: Cancel | undefined;

  /** @param connect Begins to open a connection; its calls to the owner must come later. */
  constructor(settings: PoolSettings, connect: (owner: ConnectionOwner<R>) => PooledConnection<R>) {
    this.#settings = settings;
    this.#connect = connect;
  }

  /** Number of established connections. */
  get connected(): number {
    return this.#connections.size - this.#connecting;
  }

  /** Number of requests that wait for a connection. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Sends the request on an idle connection, or queues it.
   *
   * @returns Undefined, or the reason for which the request was not accepted.
   */
  submit(request: R): "overflow" | "connection-failure" | undefined {
    if (this.#isClosing) return "connection-failure";
    const { maxPendingRequests, connectTimeoutMs, clock } = this.#settings;
    const idle = this.#idle.takeLast();
    // Without a queue, no request can wait for the reads.
    if (
      idle !== undefined &&
      this.#waiting.size === 0 &&
      (maxPendingRequests === 0 || isFit(idle, request))
    ) {
      this.#start(idle, request);
      return undefined;
    }
    if (this.#waiting.size >= maxPendingRequests) {
      if (idle !== undefined) this.#idle.pushLast(idle);
      return "overflow";
    }
    request.deadlineMs = clock.monotonicMs() + limitOf(connectTimeoutMs);
    this.#waiting.pushLast(request);
    if (idle !== undefined) this.#offer(idle);
    this.#connectForWaiting();
    this.#sweepBy(request.deadlineMs);
    return undefined;
  }

  /** Takes a request out of the queue. Does nothing for a request that does not wait. */
  abandon(request: R): void {
    this.#waiting.remove(request);
    this.#checkDrained();
  }

  onConnected(connection: PooledConnection<R>): void {
    const { clock, maxConnectionDurationMs } = this.#settings;
    this.#endConnecting(connection);
    this.#lastConnectFailed = false;
    connection.retireAtMs = clock.monotonicMs() + limitOf(maxConnectionDurationMs);
    this.#offer(connection);
    this.#connectForWaiting();
  }

  onConnectFailed(connection: PooledConnection<R>, detail: string): void {
    this.#endConnecting(connection);
    this.#lastConnectFailed = true;
    this.#connections.delete(connection);
    this.#waiting.takeFirst()?.refuse("connection-failure", detail);
    this.#connectForWaiting();
    this.#checkDrained();
  }

  onReleased(connection: PooledConnection<R>): void {
    const { maxRequestsPerConnection: limit } = this.#settings;
    connection.freeAtReads = readsNow();
    if (limit > 0 && connection.requests >= limit) this.#close(connection);
    else this.#offer(connection);
  }

  onClosed(connection: PooledConnection<R>): void {
    this.#idle.remove(connection);
    this.#connections.delete(connection);
    this.#connectForWaiting();
    this.#checkDrained();
  }

  /**
   * Closes the idle connections: they have been idle for longer than the one that was stale, so that the upstream
   * has probably closed them too. A request that is sent again then gets a new connection.
   */
  onStale(): void {
    this.#closeIdle();
  }

  /** Accepts no further request. Resolves when the requests under way are over and all connections are closed. */
  drain(): Promise<void> {
    this.#isClosing = true;
    this.#closeIdle();
    return new Promise((resolve) => {
      this.#onDrained.push(resolve);
      this.#checkDrained();
    });
  }

  /** Resets every request, and closes every connection. */
  cut(): void {
    this.#isClosing = true;
    const connections = [...this.#connections];
    this.#connections.clear();
    this.#connecting = 0;
    for (const connection of connections) {
      this.#idle.remove(connection);
      connection.cut();
    }
    for (
      let request = this.#waiting.takeFirst();
      request !== undefined;
      request = this.#waiting.takeFirst()
    ) {
      request.refuse("connection-failure", "the connections were cut");
    }
    this.#checkDrained();
  }

  #connectForWaiting(): void {
    const { maxConnections, connectTimeoutMs, clock } = this.#settings;
    const maxConnecting = this.#lastConnectFailed ? 1 : maxConnections;
    while (
      this.#connecting + this.#settling < this.#waiting.size &&
      this.#connecting < maxConnecting &&
      this.#connections.size < maxConnections
    ) {
      const connection = this.#connect(this);
      connection.isConnecting = true;
      connection.deadlineMs = clock.monotonicMs() + limitOf(connectTimeoutMs);
      this.#connecting++;
      this.#connections.add(connection);
      this.#sweepBy(connection.deadlineMs);
    }
  }

  #endConnecting(connection: PooledConnection<R>): void {
    if (!connection.isConnecting) return;
    connection.isConnecting = false;
    connection.deadlineMs = Infinity;
    this.#connecting--;
  }

  /** Gives the connection to the request that waits longest; without one, the connection rests. */
  #offer(connection: PooledConnection<R>): void {
    const nowMs = this.#settings.clock.monotonicMs();
    if (nowMs >= connection.retireAtMs) return this.#close(connection);
    const first = this.#waiting.first as R | undefined;
    if (first !== undefined && !isFit(connection, first)) return this.#settle(connection);
    const request = this.#waiting.takeFirst();
    if (request !== undefined) return this.#start(connection, request as R);
    if (this.#isClosing) return this.#close(connection);
    const idleMs = Math.min(limitOf(this.#settings.idleTimeoutMs), connection.keepAliveMs);
    connection.deadlineMs = Math.min(nowMs + idleMs, connection.retireAtMs);
    this.#idle.pushLast(connection);
    this.#sweepBy(connection.deadlineMs);
  }

  #settle(connection: PooledConnection<R>): void {
    this.#settling++;
    afterNextReads(() => {
      this.#settling--;
      connection.freeAtReads = Number.NEGATIVE_INFINITY;
      if (this.#connections.has(connection)) this.#offer(connection);
      else this.#connectForWaiting();
    });
  }

  #start(connection: PooledConnection<R>, request: R): void {
    connection.deadlineMs = Infinity;
    connection.send(request);
  }

  #closeIdle(): void {
    for (let idle = this.#idle.first; idle !== undefined; idle = this.#idle.first) this.#close(idle);
  }

  #close(connection: PooledConnection<R>): void {
    connection.close();
    this.onClosed(connection);
  }

  #checkDrained(): void {
    if (!this.#isClosing || this.#waiting.size > 0) return;
    // Attempts whose requests have left are not waited for.
    if (this.#connecting > 0) {
      for (const connection of this.#connections) {
        if (!connection.isConnecting) continue;
        this.#endConnecting(connection);
        this.#connections.delete(connection);
        connection.close();
      }
    }
    if (this.#connections.size > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** Makes sure that the time limits are looked at by the given monotonic time. */
  #sweepBy(deadlineMs: number): void {
    if (deadlineMs >= this.#sweepAtMs) return;
    this.#cancelSweep?.();
    this.#sweepAtMs = deadlineMs;
    const delayMs = Math.max(MIN_SWEEP_MS, deadlineMs - this.#settings.clock.monotonicMs());
    this.#cancelSweep = this.#settings.scheduler.after(Math.min(delayMs, MAX_SWEEP_MS), () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#sweepAtMs = Infinity;
    const nowMs = this.#settings.clock.monotonicMs();
    let nextMs = Infinity;
    for (const connection of this.#connections) {
      if (connection.deadlineMs > nowMs) nextMs = Math.min(nextMs, connection.deadlineMs);
      else if (connection.isConnecting) this.#onConnectTimeout(connection);
      else this.#close(connection);
    }
    this.#refuseOverdue(nowMs);
    this.#sweepBy(Math.min(nextMs, this.#waiting.first?.deadlineMs ?? Infinity));
  }

  #onConnectTimeout(connection: PooledConnection<R>): void {
    connection.close();
    this.onConnectFailed(connection, `no connection within ${this.#settings.connectTimeoutMs} ms`);
  }

  #refuseOverdue(nowMs: number): void {
    const detail = `no connection became free within ${this.#settings.connectTimeoutMs} ms`;
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (first.deadlineMs > nowMs) return;
      this.#waiting.remove(first);
      // Without a connection, the upstream is unreachable, and another endpoint may not be.
      first.refuse(this.connected > 0 ? "overflow" : "connection-failure", detail);
    }
    this.#checkDrained();
  }
}

function isFit<R extends ExclusiveRequest>(
  { freeAtReads }: PooledConnection<R>,
  { isRepeatable }: R,
): boolean {
  return isRepeatable || wereReadsAfter(freeAtReads);
}

/** A setting in which 0 is for no limit. */
function limitOf(settingMs: number): number {
  return settingMs === 0 ? Infinity : settingMs;
}
