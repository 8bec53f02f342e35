// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import type { ResetReason } from "../../contract/reset.ts";
import type { PooledRequest } from "../../http1/client/pooled.ts";
import { VirtualTime } from "../../../testing/virtual-time.test.ts";
import type { PooledSession, SessionOwner } from "./pooled-session.ts";
import { SessionPool } from "./session-pool.ts";

class FakeRequest implements PooledRequest {
  previous: PooledRequest | undefined;
  next: PooledRequest | undefined;
  isListed = false;
  deadlineMs = 0;
  readonly id: number;
  state: "waiting" | "sent" | "over" = "waiting";
  refusal: ResetReason | undefined;
  /** Called after the refusal, from within the pool's call. */
  onRefused: (() => void) | undefined;

  constructor(id: number) {
    this.id = id;
  }

  refuse(reason: ResetReason): void {
    assert.equal(this.state, "waiting", "only a request that waits is refused, and once");
    this.state = "over";
    this.refusal = reason;
    this.onRefused?.();
  }
}

class FakeSession implements PooledSession<FakeRequest> {
  deadlineMs = Infinity;
  retireAtMs = Infinity;
  isConnecting = true;
  requests = 0;
  isGone = false;
  isLeaving = false;
  checks = 0;
  room = 3;
  readonly under = new Set<FakeRequest>();
  readonly #sent: FakeRequest[];
  readonly #owner: SessionOwner<FakeRequest>;

  constructor(sent: FakeRequest[], owner: SessionOwner<FakeRequest>) {
    this.#sent = sent;
    this.#owner = owner;
  }

  get active(): number {
    return this.under.size;
  }
  get hasRoom(): boolean {
    return !this.isConnecting && !this.isLeaving && !this.isGone && this.active < this.room;
  }
  send(request: FakeRequest): void {
    assert.ok(this.hasRoom, "a request is sent where there is room");
    assert.equal(request.state, "waiting", "a request is sent once");
    request.state = "sent";
    this.deadlineMs = Infinity;
    this.under.add(request);
    this.requests++;
    this.#sent.push(request);
  }
  /** Called by the pool; or the upstream says GOAWAY. */
  retire(): void {
    if (this.isLeaving || this.isGone) return;
    this.isLeaving = true;
    this.#owner.onLeaving(this);
    this.#closeWhenIdle();
  }
  checkLife(): void {
    this.checks++;
  }
  cut(): void {
    const wasConnecting = this.isConnecting;
    this.isGone = true;
    for (const request of this.under) request.state = "over";
    this.under.clear();
    if (!wasConnecting) this.#owner.onClosed(this);
  }
  #closeWhenIdle(): void {
    if (this.isLeaving && this.active === 0 && !this.isGone) this.cut();
  }
  /** A request is over. */
  end(request: FakeRequest): void {
    request.state = "over";
    this.under.delete(request);
    this.#closeWhenIdle();
    if (!this.isGone) this.#owner.onRoom(this);
  }
}

const SETTINGS = {
  connectTimeoutMs: 1_000,
  maxConnections: 3,
  maxPendingRequests: 5,
  maxRequestsPerConnection: 0,
  maxConnectionDurationMs: 0,
  idleTimeoutMs: 60_000,
};

/** Time in which tasks may be periodic. */
class PeriodicTime extends VirtualTime {
  override every(intervalMs: number, task: () => void): () => void {
    let cancel = (): void => {};
    const schedule = (): void => {
      cancel = this.after(intervalMs, () => {
        schedule();
        task();
      });
    };
    schedule();
    return () => cancel();
  }
}

/** A pool whose sessions and requests the test plays. */
class Stage {
  readonly time = new PeriodicTime();
  readonly sessions: FakeSession[] = [];
  readonly requests: FakeRequest[] = [];
  /** The requests in the order in which they were sent. */
  readonly sent: FakeRequest[] = [];
  readonly pool: SessionPool<FakeRequest>;

  constructor(settings: Partial<typeof SETTINGS> = {}) {
    const all = { ...SETTINGS, ...settings, clock: this.time, scheduler: this.time };
    this.pool = new SessionPool<FakeRequest>(all, (owner) => {
      const session = new FakeSession(this.sent, owner);
      this.sessions.push(session);
      return session;
    });
  }

  /** @param retry Whether the request is sent again, once, when it got no session. */
  open(retry = false): FakeRequest {
    const request = new FakeRequest(this.requests.length);
    if (retry) request.onRefused = () => void this.open();
    this.requests.push(request);
    const refusal = this.pool.submit(request);
    if (refusal !== undefined) request.refuse(refusal);
    return request;
  }
  openMany(count: number): FakeRequest[] {
    return Array.from({ length: count }, () => this.open());
  }

  get live(): FakeSession[] {
    return this.sessions.filter(({ isGone }) => !isGone);
  }
  get connecting(): FakeSession[] {
    return this.live.filter(({ isConnecting }) => isConnecting);
  }
  get established(): FakeSession[] {
    return this.live.filter(({ isConnecting }) => !isConnecting);
  }
  get waiting(): FakeRequest[] {
    return this.requests.filter(({ state }) => state === "waiting");
  }
  get underWay(): FakeRequest[] {
    return this.requests.filter(({ state }) => state === "sent");
  }

  /** @param room Number of requests that the upstream takes at a time. */
  connected(room = 3, session = this.connecting[0]): void {
    if (session === undefined) return;
    session.room = room;
    this.pool.onConnected(session);
  }
  connectFails(session = this.connecting[0]): void {
    if (session === undefined) return;
    session.isGone = true;
    this.pool.onConnectFailed(session, "refused");
  }
  end(request = this.underWay[0]): void {
    if (request === undefined) return;
    this.sessions.find(({ under }) => under.has(request))?.end(request);
  }
  cancel(request: FakeRequest | undefined): void {
    if (request?.state !== "waiting") return this.end(request);
    request.state = "over";
    this.pool.abandon(request);
  }
  states(): string {
    return this.requests.map(({ state, refusal }) => refusal ?? state).join(" ");
  }
}

describe("the pool of sessions to an upstream", () => {
  it("opens one session for the requests that come meanwhile, and sends as many as it takes", () => {
    const stage = new Stage();
    stage.openMany(3);
    assert.equal(stage.sessions.length, 1);
    stage.connected(2);
    assert.equal(stage.states(), "sent sent waiting");
    assert.equal(stage.sessions.length, 2, "another session is for the request that waits");
    stage.end();
    assert.equal(stage.states(), "over sent sent", "room on the first session came earlier");
  });

  it("opens no more sessions than allowed; the requests wait, first in, first out", () => {
    const stage = new Stage({ maxConnections: 2 });
    stage.openMany(5);
    stage.connected(1);
    stage.connected(1);
    assert.equal(stage.sessions.length, 2);
    for (let index = 0; index < 5; index++) stage.end();
    assert.deepEqual(
      stage.sent.map(({ id }) => id),
      [0, 1, 2, 3, 4],
    );
  });

  it("refuses requests beyond the bound of the queue, and those that waited too long for room", () => {
    const stage = new Stage({ maxConnections: 1, maxPendingRequests: 2 });
    stage.open();
    stage.connected(1);
    stage.openMany(3);
    assert.equal(stage.states(), "sent waiting waiting overflow");
    stage.time.pass(999);
    assert.equal(stage.pool.pending, 2);
    stage.time.pass(20);
    assert.equal(stage.states(), "sent overflow overflow overflow");
  });

  it("fails all requests that wait when the session cannot be established", () => {
    const stage = new Stage();
    stage.openMany(2);
    stage.connectFails();
    assert.equal(stage.states(), "connection-failure connection-failure");
    stage.open();
    assert.equal(stage.connecting.length, 1);
  });

  it("fails them when the upstream does not answer, and cuts the attempt", () => {
    const stage = new Stage();
    stage.openMany(2);
    stage.time.pass(1_010);
    assert.equal(stage.states(), "connection-failure connection-failure");
    assert.equal(stage.live.length, 0);
  });

  it("opens another session when the upstream is leaving, and keeps the requests on the old one", () => {
    const stage = new Stage();
    stage.openMany(2);
    stage.connected();
    (stage.sessions[0] as FakeSession).retire();
    stage.open();
    assert.equal(stage.states(), "sent sent waiting");
    stage.connected();
    assert.equal(stage.states(), "sent sent sent");
    assert.equal(stage.pool.connected, 2);
    stage.end();
    stage.end();
    assert.equal(stage.pool.connected, 1);
  });

  it("sends more when the upstream raises its limit", () => {
    const stage = new Stage({ maxConnections: 1 });
    stage.openMany(3);
    stage.connected(1);
    const session = stage.sessions[0] as FakeSession;
    session.room = 2;
    stage.pool.onRoom(session);
    assert.equal(stage.states(), "sent sent waiting");
  });

  it("retires a session after its number of requests", () => {
    const stage = new Stage({ maxRequestsPerConnection: 2 });
    stage.openMany(3);
    stage.connected();
    assert.equal(stage.states(), "sent sent waiting");
    stage.connected();
    for (let index = 0; index < 3; index++) stage.end();
    assert.deepEqual(
      stage.sessions.map(({ requests, isGone }) => [requests, isGone]),
      [
        [2, true],
        [1, false],
      ],
    );
  });

  it("retires a session at its age; the request on it goes on", () => {
    const stage = new Stage({ maxConnectionDurationMs: 10_000 });
    stage.open();
    stage.connected();
    stage.time.pass(10_010);
    assert.ok((stage.sessions[0] as FakeSession).isLeaving);
    assert.equal(stage.states(), "sent");
    stage.end();
    assert.equal(stage.pool.connected, 0);
  });

  it("closes a session that is idle for long, and no session that had a request meanwhile", () => {
    const stage = new Stage();
    stage.open();
    stage.connected();
    stage.end();
    stage.time.pass(59_000);
    stage.end(stage.open());
    stage.time.pass(59_000);
    assert.equal(stage.pool.connected, 1);
    stage.time.pass(1_100);
    assert.equal(stage.pool.connected, 0);
  });

  it("checks every session for signs of life, also one that is leaving", () => {
    const stage = new Stage();
    stage.open();
    stage.connected();
    (stage.sessions[0] as FakeSession).retire();
    stage.open();
    stage.connected();
    stage.time.pass(20_000);
    assert.ok(stage.sessions.every(({ checks }) => checks === 1));
  });

  it("drains: serves the requests that were accepted, then has no session and no timer", async () => {
    const stage = new Stage({ maxConnections: 1 });
    stage.openMany(3);
    stage.connected(1);
    let drained = false;
    const draining = stage.pool.drain().then(() => (drained = true));
    assert.equal(stage.open().refusal, "connection-failure");
    for (let index = 0; index < 3; index++) {
      await Promise.resolve();
      assert.ok(!drained);
      stage.end();
    }
    await draining;
    assert.equal(stage.states(), "over over over connection-failure");
    assert.deepEqual([stage.live.length, stage.time.tasks.size], [0, 0]);
  });

  it("drains with an idle session, and with an attempt that nobody waits for", async () => {
    const stage = new Stage();
    stage.open();
    stage.connected();
    stage.end();
    await stage.pool.drain();
    const attempt = new Stage();
    attempt.cancel(attempt.open());
    await attempt.pool.drain();
    assert.deepEqual([stage.live.length, attempt.live.length], [0, 0]);
    assert.deepEqual([stage.time.tasks.size, attempt.time.tasks.size], [0, 0]);
  });

  it("is cut: every request ends, and nothing is left", () => {
    const stage = new Stage();
    stage.openMany(4);
    stage.connected(2);
    stage.pool.cut();
    assert.equal(stage.states(), "over over connection-failure connection-failure");
    assert.deepEqual([stage.live.length, stage.time.tasks.size, stage.pool.connected], [0, 0, 0]);
  });

  it("holds its limits, serves first in first out, and keeps nothing, whatever happens", () => {
    const kinds = ["connected", "connectFails", "end", "leave", "breaks", "cancel", "room"] as const;
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant("open" as const), retry: fc.boolean() }) },
      ...kinds.map((kind) => ({
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant(kind), which: fc.nat(9) }),
      })),
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(1_500) }) },
    );
    const settings = fc.record({
      maxConnections: fc.integer({ min: 1, max: 4 }),
      maxPendingRequests: fc.integer({ min: 0, max: 6 }),
      maxRequestsPerConnection: fc.nat(3),
      maxConnectionDurationMs: fc.constantFrom(0, 2_000),
      idleTimeoutMs: fc.constantFrom(0, 500),
      connectTimeoutMs: fc.constantFrom(0, 1_000),
    });
    const pick = <T>(items: readonly T[], which: number): T | undefined => items[which % items.length];
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 60 }), (limits, steps) => {
        const stage = new Stage(limits);
        for (const action of steps) {
          switch (action.kind) {
            case "open":
              stage.open(action.retry);
              break;
            case "connected":
              stage.connected(action.which % 4, pick(stage.connecting, action.which));
              break;
            case "connectFails":
              stage.connectFails(pick(stage.connecting, action.which));
              break;
            case "end":
              stage.end(pick(stage.underWay, action.which));
              break;
            case "leave":
              pick(stage.established, action.which)?.retire();
              break;
            case "breaks":
              pick(stage.established, action.which)?.cut();
              break;
            case "cancel":
              stage.cancel(pick([...stage.waiting, ...stage.underWay], action.which));
              break;
            case "room": {
              const session = pick(stage.established, action.which);
              if (session === undefined) break;
              session.room = action.which % 4;
              stage.pool.onRoom(session);
              break;
            }
            case "pass":
              stage.time.pass(action.ms);
              break;
          }
          checkInvariants(stage, limits);
        }
        finishAll(stage);
        assert.ok(stage.requests.every(({ state }) => state === "over"));
        assert.deepEqual([stage.pool.connected, stage.pool.pending], [0, 0]);
        assert.deepEqual([stage.live.length, stage.time.tasks.size], [0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});

function checkInvariants(stage: Stage, limits: typeof SETTINGS): void {
  const { pool, waiting, live, connecting } = stage;
  const taking = live.filter(({ isLeaving }) => !isLeaving);
  assert.ok(taking.length <= limits.maxConnections, "more sessions than allowed");
  assert.ok(connecting.length <= 1, "more than one attempt at a time");
  assert.ok(waiting.length <= limits.maxPendingRequests, "more waiting requests than allowed");
  assert.equal(pool.pending, waiting.length);
  assert.equal(pool.connected, live.length - connecting.length);
  assert.ok(waiting.length === 0 || !live.some(({ hasRoom }) => hasRoom), "a request waits beside room");
  assert.ok(
    waiting.length === 0 || connecting.length > 0 || taking.length === limits.maxConnections,
    "a request waits for nothing",
  );
  const ids = stage.sent.map(({ id }) => id);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
    "not first in, first out",
  );
}

/** Lets every request and session come to its end. */
function finishAll(stage: Stage): void {
  void stage.pool.drain();
  for (let index = 0; index < 200; index++) {
    for (const session of stage.established) {
      session.room = 3;
      stage.pool.onRoom(session);
    }
    stage.connected();
    stage.end();
  }
}
