// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel } from "../../../../kernel/ports.ts";
import type { ClientSettings } from "../../contract/client.ts";
import { LinkedList } from "../../../../kernel/linked-list.ts";
import type { PooledRequest } from "../../http1/client/pooled.ts";
import type { PooledSession, SessionOwner } from "./pooled-session.ts";
import { CHECK_MS } from "./signs-of-life.ts";

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

/** Sweeps are at least this far apart: deadlines that are close to each other share one. */
const MIN_SWEEP_MS = 10;

/**
 * The sessions to one upstream address, and the requests that wait for one. As in Envoy, one session carries all requests
 * until it has as many as both sides allow; then another is opened, up to `maxConnections`. A session that cannot be
 * established fails the requests that wait, since none could be sent.
 */
export class SessionPool<R extends PooledRequest> implements SessionOwner<R> {
  readonly #settings: PoolSettings;
  readonly #newSession: (owner: SessionOwner<R>) => PooledSession<R>;
  /** Sessions that take requests, or are being established, in the order of their opening. */
  readonly #sessions = new Set<PooledSession<R>>();
  /** Sessions whose last requests are under way. */
  readonly #leaving = new Set<PooledSession<R>>();
  readonly #waiting = new LinkedList<PooledRequest>();
  #connecting = 0;
  #isClosing = false;
  readonly #onDrained: (() => void)[] = [];
  #sweepAtMs = Infinity;
  #cancelSweep: Cancel | undefined;
  #cancelChecks: Cancel | undefined;

  constructor(settings: PoolSettings, newSession: (owner: SessionOwner<R>) => PooledSession<R>) {
    this.#settings = settings;
    this.#newSession = newSession;
  }

  /** Number of established connections. */
  get connected(): number {
    return this.#sessions.size - this.#connecting + this.#leaving.size;
  }

  /** Number of requests that wait for a session. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Sends the request on a session with room, or queues it.
   *
   * @returns Undefined, or the reason for which the request was not accepted.
   */
  submit(request: R): "overflow" | "connection-failure" | undefined {
    if (this.#isClosing) return "connection-failure";
    const session = this.#waiting.size === 0 ? this.#sessionWithRoom() : undefined;
    if (session !== undefined) {
      this.#send(session, request);
      return undefined;
    }
    if (this.#waiting.size >= this.#settings.maxPendingRequests) return "overflow";
    request.deadlineMs = this.#now() + limitOf(this.#settings.connectTimeoutMs);
    this.#waiting.pushLast(request);
    this.#connectForWaiting();
    this.#sweepBy(request.deadlineMs);
    return undefined;
  }

  /** Takes a request out of the queue. Does nothing for a request that does not wait. */
  abandon(request: R): void {
    this.#waiting.remove(request);
    this.#checkDrained();
  }

  onConnected(session: PooledSession<R>): void {
    this.#endConnecting(session);
    session.retireAtMs = this.#now() + limitOf(this.#settings.maxConnectionDurationMs);
    this.#sweepBy(session.retireAtMs);
    this.onRoom(session);
  }

  onConnectFailed(session: PooledSession<R>, detail: string): void {
    this.#endConnecting(session);
    this.#sessions.delete(session);
    for (let request = this.#takeWaiting(); request !== undefined; request = this.#takeWaiting())
      request.refuse("connection-failure", detail);
    this.#checkDrained();
  }

  onRoom(session: PooledSession<R>): void {
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      const request = first as R;
      if (!this.#sessions.has(session) || !session.hasRoom) break;
      this.#waiting.remove(request);
      this.#send(session, request);
    }
    // A request that was sent without room for more may have left the session with no room for those that still wait.
    this.#connectForWaiting();
    if (session.active > 0 || !this.#sessions.has(session)) return;
    if (this.#isClosing) return session.retire();
    session.deadlineMs = this.#now() + limitOf(this.#settings.idleTimeoutMs);
    this.#sweepBy(session.deadlineMs);
  }

  onLeaving(session: PooledSession<R>): void {
    if (!this.#sessions.delete(session)) return;
    this.#leaving.add(session);
    this.#connectForWaiting();
  }

  onClosed(session: PooledSession<R>): void {
    const wasLeaving = this.#leaving.delete(session);
    if (!this.#sessions.delete(session) && !wasLeaving) return;
    this.#connectForWaiting();
    this.#checkDrained();
  }

  /** Accepts no further request. Resolves when the requests under way are over and all connections are closed. */
  drain(): Promise<void> {
    this.#isClosing = true;
    for (const session of this.#sessions) if (!session.isConnecting && session.active === 0) session.retire();
    return new Promise((resolve) => {
      this.#onDrained.push(resolve);
      this.#checkDrained();
    });
  }

  /** Resets every request, and closes every connection. */
  cut(): void {
    this.#isClosing = true;
    const sessions = [...this.#sessions, ...this.#leaving];
    this.#sessions.clear();
    this.#leaving.clear();
    this.#connecting = 0;
    for (const session of sessions) session.cut("the connections were cut");
    for (let request = this.#takeWaiting(); request !== undefined; request = this.#takeWaiting())
      request.refuse("connection-failure", "the connections were cut");
    this.#checkDrained();
  }

  #sessionWithRoom(): PooledSession<R> | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session;
    return undefined;
  }

  #send(session: PooledSession<R>, request: R): void {
    const { maxRequestsPerConnection: limit } = this.#settings;
    session.send(request);
    if (limit > 0 && session.requests >= limit) session.retire();
  }

  #takeWaiting(): PooledRequest | undefined {
    return this.#waiting.takeFirst();
  }

  #connectForWaiting(): void {
    const { maxConnections, connectTimeoutMs } = this.#settings;
    // One at a time: its SETTINGS say how many requests a session takes.
    if (this.#waiting.size === 0 || this.#connecting > 0 || this.#sessions.size >= maxConnections) return;
    const session = this.#newSession(this);
    session.deadlineMs = this.#now() + limitOf(connectTimeoutMs);
    this.#connecting++;
    this.#sessions.add(session);
    this.#sweepBy(session.deadlineMs);
    this.#cancelChecks ??= this.#settings.scheduler.every(CHECK_MS, () => this.#checkLife());
  }

  #endConnecting(session: PooledSession<R>): void {
    if (!session.isConnecting) return;
    session.isConnecting = false;
    session.deadlineMs = Infinity;
    if (this.#connecting > 0) this.#connecting--;
  }

  #checkLife(): void {
    for (const session of [...this.#sessions, ...this.#leaving]) session.checkLife();
  }

  #checkDrained(): void {
    if (!this.#isClosing || this.#waiting.size > 0) return;
    for (const session of this.#sessions) {
      // Attempts whose requests have left are not waited for.
      if (!session.isConnecting) continue;
      this.#endConnecting(session);
      this.#sessions.delete(session);
      session.cut("nobody waits for the connection");
    }
    if (this.#sessions.size > 0 || this.#leaving.size > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#cancelChecks?.();
    this.#cancelChecks = undefined;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** Makes sure that the time limits are looked at by the given monotonic time. */
  #sweepBy(deadlineMs: number): void {
    if (deadlineMs >= this.#sweepAtMs) return;
    this.#cancelSweep?.();
    this.#sweepAtMs = deadlineMs;
    const delayMs = Math.max(MIN_SWEEP_MS, deadlineMs - this.#now());
    this.#cancelSweep = this.#settings.scheduler.after(Math.min(delayMs, MAX_DELAY_MS), () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#sweepAtMs = Infinity;
    const nowMs = this.#now();
    let nextMs = Infinity;
    for (const session of this.#sessions) {
      if (session.isConnecting && session.deadlineMs <= nowMs) this.#onConnectTimeout(session);
      else if (session.deadlineMs <= nowMs || session.retireAtMs <= nowMs) session.retire();
      else nextMs = Math.min(nextMs, session.deadlineMs, session.retireAtMs);
    }
    this.#refuseOverdue(nowMs);
    this.#sweepBy(Math.min(nextMs, this.#waiting.first?.deadlineMs ?? Infinity));
  }

  #onConnectTimeout(session: PooledSession<R>): void {
    const detail = `no connection within ${this.#settings.connectTimeoutMs} ms`;
    this.onConnectFailed(session, detail);
    session.cut(detail);
  }

  #refuseOverdue(nowMs: number): void {
    const detail = `no connection had room within ${this.#settings.connectTimeoutMs} ms`;
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (first.deadlineMs > nowMs) return;
      this.#waiting.remove(first);
      // Without a connection, the upstream is unreachable, and another endpoint may not be.
      first.refuse(this.connected > 0 ? "overflow" : "connection-failure", detail);
    }
    this.#checkDrained();
  }

  #now(): number {
    return this.#settings.clock.monotonicMs();
  }
}

/** The longest delay of a Node.js timer; a longer one fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A setting in which 0 is for no limit. */
function limitOf(settingMs: number): number {
  return settingMs === 0 ? Infinity : settingMs;
}
