// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel } from "../../../../kernel/ports.ts";
import type { TlsConnector } from "../../tls/client/tls-connector.ts";
import type { ClientSettings } from "../../contract/client.ts";
import { LinkedList } from "../../http1/client/linked-list.ts";
import type { PooledRequest } from "../../http1/client/pooled.ts";
import type { Http2Request } from "./http2-request.ts";
import { CHECK_MS } from "./signs-of-life.ts";
import { type SessionOwner, UpstreamSession } from "./upstream-session.ts";

/** Sweeps are at least this far apart: deadlines that are close to each other share one. */
const MIN_SWEEP_MS = 10;

/**
 * The sessions to one upstream address, and the requests that wait for one. As in Envoy, one session carries all requests
 * until it has as many as both sides allow; then another is opened, up to `maxConnections`. A session that cannot be
 * established fails the requests that wait, since none could be sent.
 */
export class SessionPool implements SessionOwner {
  readonly #settings: ClientSettings;
  readonly #connector: TlsConnector | undefined;
  /** Sessions that take requests, or are being established, in the order of their opening. */
  readonly #sessions = new Set<UpstreamSession>();
  /** Sessions whose last requests are under way. */
  readonly #leaving = new Set<UpstreamSession>();
  readonly #waiting = new LinkedList<PooledRequest>();
  #connecting = 0;
  #isClosing = false;
  readonly #onDrained: (() => void)[] = [];
  #sweepAtMs = Infinity;
  #cancelSweep: Cancel | undefined;
  #cancelChecks: Cancel | undefined;

  /** @param connector Opens connections with TLS; undefined for plain text. */
  constructor(settings: ClientSettings, connector: TlsConnector | undefined) {
    this.#settings = settings;
    this.#connector = connector;
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
  submit(request: Http2Request): "overflow" | "connection-failure" | undefined {
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
  abandon(request: Http2Request): void {
    this.#waiting.remove(request);
    this.#checkDrained();
  }

  onConnected(session: UpstreamSession): void {
    this.#endConnecting(session);
    session.retireAtMs = this.#now() + limitOf(this.#settings.maxConnectionDurationMs);
    this.#sweepBy(session.retireAtMs);
    this.onRoom(session);
  }

  onConnectFailed(session: UpstreamSession, detail: string): void {
    this.#endConnecting(session);
    this.#sessions.delete(session);
    for (let request = this.#takeWaiting(); request !== undefined; request = this.#takeWaiting())
      request.refuse("connection-failure", detail);
    this.#checkDrained();
  }

  onRoom(session: UpstreamSession): void {
    if (this.#leaving.has(session)) {
      if (session.isBroken && session.active === 0) this.#forget(session);
      return;
    }
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      const request = first as Http2Request;
      if (!this.#sessions.has(session) || !session.hasRoom) break;
      this.#waiting.remove(request);
      this.#send(session, request);
    }
    if (session.active > 0 || !this.#sessions.has(session)) return;
    if (this.#isClosing) return session.retire();
    session.deadlineMs = this.#now() + limitOf(this.#settings.idleTimeoutMs);
    this.#sweepBy(session.deadlineMs);
  }

  onLeaving(session: UpstreamSession): void {
    if (!this.#sessions.delete(session)) return;
    this.#leaving.add(session);
    if (session.isBroken) this.#forget(session);
    this.#connectForWaiting();
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

  #sessionWithRoom(): UpstreamSession | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session;
    return undefined;
  }

  #send(session: UpstreamSession, request: Http2Request): void {
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
    const session = new UpstreamSession(this.#settings, this.#connector, this);
    session.deadlineMs = this.#now() + limitOf(connectTimeoutMs);
    this.#connecting++;
    this.#sessions.add(session);
    this.#sweepBy(session.deadlineMs);
    this.#cancelChecks ??= this.#settings.scheduler.every(CHECK_MS, () => this.#checkLife());
  }

  #endConnecting(session: UpstreamSession): void {
    if (!session.isConnecting) return;
    session.isConnecting = false;
    session.deadlineMs = Infinity;
    if (this.#connecting > 0) this.#connecting--;
  }

  #forget(session: UpstreamSession): void {
    this.#leaving.delete(session);
    this.#checkDrained();
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

  #onConnectTimeout(session: UpstreamSession): void {
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
