// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import type { ResetReason } from "../../contract/reset.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { afterNextReads } from "../turn.ts";
import { VirtualTime } from "../../../testing/virtual-time.test.ts";
import type { ConnectionOwner, ExclusiveRequest, PooledConnection, PooledRequest } from "./pooled.ts";

class FakeRequest implements ExclusiveRequest {
  previous: PooledRequest | undefined;
  next: PooledRequest | undefined;
  isListed = false;
  deadlineMs = 0;
  isRepeatable = true;
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

class FakeConnection implements PooledConnection<FakeRequest> {
  previous: PooledConnection<FakeRequest> | undefined;
  next: PooledConnection<FakeRequest> | undefined;
  isListed = false;
  deadlineMs = Infinity;
  retireAtMs = Infinity;
  isConnecting = true;
  freeAtReads = Number.NEGATIVE_INFINITY;
  requests = 0;
  keepAliveMs = Infinity;
  isClosed = false;
  request: FakeRequest | undefined;
  readonly #sent: FakeRequest[];

  constructor(sent: FakeRequest[]) {
    this.#sent = sent;
  }

  send(request: FakeRequest): void {
    assert.ok(!this.isClosed && !this.isConnecting, "a request is sent on an established connection");
    assert.equal(this.request, undefined, "a connection has one request at a time");
    assert.equal(request.state, "waiting", "a request is sent once");
    request.state = "sent";
    this.request = request;
    this.requests++;
    this.#sent.push(request);
  }
  close(): void {
    assert.equal(this.request, undefined, "a connection with a request is not closed");
    this.isClosed = true;
  }
  cut(): void {
    this.isClosed = true;
    if (this.request !== undefined) this.request.state = "over";
    this.request = undefined;
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

/** A pool whose connections and requests the test plays. */
class Stage {
  readonly time = new VirtualTime();
  readonly connections: FakeConnection[] = [];
  readonly requests: FakeRequest[] = [];
  /** The requests in the order in which they were sent. */
  readonly sent: FakeRequest[] = [];
  readonly pool: ConnectionPool<FakeRequest>;
  readonly #owner: ConnectionOwner<FakeRequest>;

  constructor(settings: Partial<typeof SETTINGS> = {}) {
    const all = { ...SETTINGS, ...settings, clock: this.time, scheduler: this.time };
    this.pool = new ConnectionPool<FakeRequest>(all, () => {
      const connection = new FakeConnection(this.sent);
      this.connections.push(connection);
      return connection;
    });
    this.#owner = this.pool;
  }

  /** @param retry Whether the request is sent again, once, when it got no connection. */
  open(retry = false, isRepeatable = true): FakeRequest {
    const request = new FakeRequest(this.requests.length);
    request.isRepeatable = isRepeatable;
    if (retry) request.onRefused = () => void this.open();
    this.requests.push(request);
    const refusal = this.pool.submit(request);
    if (refusal !== undefined) request.refuse(refusal);
    return request;
  }

  get live(): FakeConnection[] {
    return this.connections.filter(({ isClosed }) => !isClosed);
  }
  get connecting(): FakeConnection[] {
    return this.live.filter(({ isConnecting }) => isConnecting);
  }
  get busy(): FakeConnection[] {
    return this.live.filter(({ request }) => request !== undefined);
  }
  get idle(): FakeConnection[] {
    return this.live.filter(({ isConnecting, request }) => !isConnecting && request === undefined);
  }
  get waiting(): FakeRequest[] {
    return this.requests.filter(({ state }) => state === "waiting");
  }

  connected(connection = this.connecting[0]): void {
    if (connection !== undefined) this.#owner.onConnected(connection);
  }
  connectFails(connection = this.connecting[0]): void {
    if (connection === undefined) return;
    connection.isClosed = true;
    this.#owner.onConnectFailed(connection, "refused");
  }
  answer(connection = this.busy[0]): void {
    if (connection?.request === undefined) return;
    connection.request.state = "over";
    connection.request = undefined;
    this.#owner.onReleased(connection);
  }
  /** The upstream closes the connection, or its request is cancelled. */
  closes(connection: FakeConnection | undefined, isStale = false): void {
    if (connection === undefined) return;
    if (isStale) this.#owner.onStale();
    if (connection.request !== undefined) connection.request.state = "over";
    connection.request = undefined;
    connection.isClosed = true;
    this.#owner.onClosed(connection);
  }
  cancel(request: FakeRequest | undefined): void {
    if (request?.state === "waiting") {
      request.state = "over";
      this.pool.abandon(request);
    } else if (request?.state === "sent") {
      this.closes(this.busy.find((connection) => connection.request === request));
    }
  }
}

describe("the pool of connections to an upstream", () => {
  it("uses the connection that became idle last, and closes the others when they have been idle for long", () => {
    const stage = new Stage();
    for (let index = 0; index < 3; index++) stage.open();
    for (let index = 0; index < 3; index++) stage.connected();
    for (let index = 0; index < 3; index++) stage.answer();
    const last = stage.connections[2];
    for (let second = 0; second < 61; second++) {
      stage.open();
      assert.deepEqual(stage.busy, [last]);
      stage.answer();
      stage.time.pass(1_000);
    }
    assert.deepEqual(stage.live, [last]);
  });

  it("closes an idle connection before the upstream does, where the upstream says when", () => {
    const stage = new Stage();
    stage.open();
    stage.connected();
    (stage.connections[0] as FakeConnection).keepAliveMs = 4_000;
    stage.answer();
    stage.time.pass(3_990);
    assert.equal(stage.live.length, 1);
    stage.time.pass(30);
    assert.equal(stage.live.length, 0);
  });

  it("closes a connection after its number of requests, and opens one for the next", () => {
    const stage = new Stage({ maxConnections: 1, maxRequestsPerConnection: 2 });
    for (let index = 0; index < 5; index++) stage.open();
    for (let index = 0; index < 10; index++) {
      stage.connected();
      stage.answer();
    }
    assert.deepEqual(
      stage.connections.map(({ requests }) => requests),
      [2, 2, 1],
    );
  });

  it("closes a connection at its age, once its request is over", () => {
    const stage = new Stage({ maxConnectionDurationMs: 10_000 });
    stage.open();
    stage.connected();
    stage.time.pass(20_000);
    assert.equal(stage.live.length, 1);
    stage.answer();
    assert.equal(stage.live.length, 0);
    stage.open();
    stage.connected();
    stage.answer();
    stage.time.pass(10_010);
    assert.equal(stage.live.length, 0);
  });

  it("gives a new connection to the request that waits longest, whichever it was opened for", () => {
    const stage = new Stage();
    const [first, second] = [stage.open(), stage.open()];
    stage.connected(stage.connecting[1]);
    assert.deepEqual([first.state, second.state], ["sent", "waiting"]);
  });

  it("opens no connection for a request that has left", () => {
    const stage = new Stage({ maxConnections: 2, maxPendingRequests: 1_000 });
    for (let index = 0; index < 2; index++) stage.open();
    for (let index = 0; index < 2; index++) stage.connected();
    for (let index = 0; index < 300; index++) stage.cancel(stage.open());
    assert.equal(stage.pool.pending, 0);
    for (const request of stage.requests.slice(0, 2)) stage.cancel(request);
    assert.equal(stage.connections.length, 2);
  });

  it("fails one request for each connection that cannot be made, and then tries one at a time", () => {
    const stage = new Stage({ maxConnections: 100, maxPendingRequests: 100 });
    for (let index = 0; index < 10; index++) stage.open();
    assert.equal(stage.connecting.length, 10);
    for (let failed = 1; failed <= 9; failed++) {
      stage.connectFails();
      assert.equal(stage.waiting.length, 10 - failed);
    }
    for (let index = 0; index < 5; index++) stage.open();
    assert.equal(stage.connecting.length, 1);
    stage.connected();
    assert.equal(stage.connecting.length, 5);
  });

  it("refuses requests beyond the bound of the queue, and those that have waited too long", () => {
    const stage = new Stage({ maxConnections: 1, maxPendingRequests: 2 });
    stage.open();
    stage.connected();
    const waiting = [stage.open(), stage.open()];
    assert.equal(stage.open().refusal, "overflow");
    stage.time.pass(999);
    assert.equal(stage.pool.pending, 2);
    stage.time.pass(20);
    assert.deepEqual(
      waiting.map(({ refusal }) => refusal),
      ["overflow", "overflow"],
    );
    assert.equal(stage.busy.length, 1);
  });

  it("fails the requests that wait for an upstream that does not answer connection attempts", () => {
    const stage = new Stage({ maxConnections: 1 });
    const requests = [stage.open(), stage.open(), stage.open()];
    stage.time.pass(1_100);
    assert.deepEqual(
      requests.map(({ refusal }) => refusal),
      ["connection-failure", "connection-failure", "connection-failure"],
    );
    assert.equal(stage.pool.pending, 0);
  });

  it("drains: serves the requests that were accepted, then has no connection and no timer", async () => {
    const stage = new Stage({ maxConnections: 1 });
    const requests = [stage.open(), stage.open(), stage.open()];
    stage.connected();
    let drained = false;
    const draining = stage.pool.drain().then(() => (drained = true));
    assert.equal(stage.open().refusal, "connection-failure");
    for (let index = 0; index < 3; index++) {
      await Promise.resolve();
      assert.ok(!drained);
      stage.answer();
    }
    await draining;
    assert.ok(requests.every(({ refusal, state }) => refusal === undefined && state === "over"));
    assert.deepEqual([stage.live.length, stage.time.tasks.size], [0, 0]);
  });

  it("gives a used connection to a request that cannot be repeated after the next reads", async () => {
    const stage = new Stage({ maxConnections: 1 });
    stage.open();
    const [first, second] = [stage.open(false, false), stage.open()];
    stage.connected();
    stage.answer();
    assert.deepEqual([first.state, second.state], ["waiting", "waiting"]);
    await nextReads();
    assert.deepEqual([first.state, second.state], ["sent", "waiting"]);
    stage.answer();
    assert.equal(second.state, "sent", "a request that can be repeated gets it at once");
    assert.equal(stage.connections.length, 1);
  });

  it("opens a connection for a request that cannot be repeated when the used one is closed by then", async () => {
    const stage = new Stage({ maxConnections: 1 });
    stage.open();
    const waiting = stage.open(false, false);
    stage.connected();
    stage.answer();
    stage.closes(stage.live[0]);
    await nextReads();
    assert.equal(waiting.state, "waiting");
    stage.connected();
    assert.equal(waiting.state, "sent");
    assert.equal(stage.connections.length, 2);
  });

  it("holds its limits, serves first in first out, and keeps nothing, whatever happens", async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("open" as const),
          retry: fc.boolean(),
          isRepeatable: fc.boolean(),
        }),
      },
      ...(["connected", "connectFails", "answer", "upstreamCloses", "isStale", "cancel"] as const).map(
        (kind) => ({
          weight: 3,
          arbitrary: fc.record({ kind: fc.constant(kind), which: fc.nat(9) }),
        }),
      ),
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(1_500) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("reads" as const) }) },
    );
    const settings = fc.record({
      maxConnections: fc.integer({ min: 1, max: 4 }),
      maxPendingRequests: fc.integer({ min: 0, max: 6 }),
      maxRequestsPerConnection: fc.nat(3),
      maxConnectionDurationMs: fc.constantFrom(0, 2_000),
      idleTimeoutMs: fc.constantFrom(0, 500),
      connectTimeoutMs: fc.constantFrom(0, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(settings, fc.array(step, { maxLength: 60 }), async (limits, steps) => {
        const stage = new Stage(limits);
        const pick = <T>(items: readonly T[], which: number): T | undefined => items[which % items.length];
        for (const action of steps) {
          switch (action.kind) {
            case "open":
              stage.open(action.retry, action.isRepeatable);
              break;
            case "connected":
              stage.connected(pick(stage.connecting, action.which));
              break;
            case "connectFails":
              stage.connectFails(pick(stage.connecting, action.which));
              break;
            case "answer":
              stage.answer(pick(stage.busy, action.which));
              break;
            case "upstreamCloses":
              stage.closes(pick([...stage.busy, ...stage.idle], action.which));
              break;
            case "isStale":
              stage.closes(pick(stage.busy, action.which), true);
              break;
            case "cancel":
              stage.cancel(
                pick(
                  stage.requests.filter(({ state }) => state !== "over"),
                  action.which,
                ),
              );
              break;
            case "pass":
              stage.time.pass(action.ms);
              break;
            case "reads":
              await nextReads();
              checkSettled(stage, limits);
              break;
          }
          checkInvariants(stage, limits);
        }
        await finishAll(stage);
        assert.ok(stage.requests.every(({ state }) => state === "over"));
        assert.deepEqual([stage.pool.connected, stage.pool.pending], [0, 0]);
        assert.deepEqual([stage.live.length, stage.time.tasks.size], [0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});

function checkInvariants(stage: Stage, limits: typeof SETTINGS): void {
  const { pool, waiting } = stage;
  assert.ok(stage.live.length <= limits.maxConnections, "more connections than allowed");
  assert.ok(waiting.length <= limits.maxPendingRequests, "more waiting requests than allowed");
  assert.equal(pool.pending, waiting.length);
  assert.equal(pool.connected, stage.live.length - stage.connecting.length);
  const ids = stage.sent.map(({ id }) => id);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
    "not first in, first out",
  );
}

/** Invariants that hold when no connection is about to be given to a request that cannot be repeated. */
function checkSettled({ waiting, idle, connecting, live }: Stage, { maxConnections }: typeof SETTINGS): void {
  if (waiting.length === 0) return;
  assert.equal(idle.length, 0, "a request waits beside an idle connection");
  assert.ok(connecting.length > 0 || live.length === maxConnections, "a request waits for nothing");
}

const nextReads = (): Promise<void> => new Promise(afterNextReads);

/** Lets every request and connection come to its end. */
async function finishAll(stage: Stage): Promise<void> {
  void stage.pool.drain();
  await nextReads();
  for (let index = 0; index < 200; index++) {
    if (stage.waiting.length > 0) await nextReads();
    stage.connected();
    stage.answer();
  }
}
