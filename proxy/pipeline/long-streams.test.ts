// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import type { Recheck } from "../policy/check-result.ts";
import {
  cleanUp,
  FakePolicy,
  groupOf,
  onCleanup,
  RecordingLogger,
  startWith,
  until,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import { type LongStream, LongStreams } from "./long-streams.ts";

class Stream implements LongStream {
  readonly attributes: AttributeBag;
  readonly isDecidedHere = true;
  readonly expiry = undefined;
  readonly expiringEntry = undefined;
  previous: LongStream | undefined = undefined;
  next: LongStream | undefined = undefined;
  isListed = false;
  refused = 0;
  constructor(user: string) {
    this.attributes = { request: { user } };
  }
  refuse(): void {
    this.refused++;
  }
  expire(): void {
    assert.fail("the stream has no expiry");
  }
}

const userOf = (bag: AttributeBag): string => (bag["request"] as { user: string }).user;
const settle = () => new Promise((resolve) => setImmediate(resolve));

function rig() {
  const time = createVirtualTime();
  const policy = new FakePolicy();
  const logger = new RecordingLogger();
  const streams = new LongStreams(policy, { ...time, random: () => 1, logger });
  const add = (user: string): Stream => {
    const stream = new Stream(user);
    streams.add(stream);
    return stream;
  };
  return { time, policy, logger, streams, add };
}

describe("the long streams of a proxy", () => {
  it("are closed when changed policies refuse them, exactly those, with few calls at a time", async () => {
    const { policy, streams, add, logger } = rig();
    const all = Array.from({ length: 10_000 }, (_, index) => add(index % 100 === 7 ? "bob" : "ada"));
    let calls = 0;
    let most = 0;
    policy.change(async (bag) => {
      most = Math.max(most, ++calls);
      await settle();
      calls--;
      return userOf(bag) === "bob" ? "refused" : "allowed";
    });
    while (streams.counts.allowed + streams.counts.refused < all.length) await settle();
    assert.deepEqual(
      all.filter(({ refused }) => refused > 0).map(({ attributes }) => userOf(attributes)),
      Array.from({ length: 100 }, () => "bob"),
    );
    assert.ok(all.every(({ refused }) => refused <= 1));
    assert.ok(most <= 64, `${most} calls at a time`);
    await settle();
    assert.deepEqual(logger.lines.at(-1)?.fields, { closed: 100, allowed: 9_900, undecided: 0 });
  });

  it("do not hold the event loop while they are decided", async () => {
    const { time, policy, streams, add } = rig();
    for (let index = 0; index < 100; index++) add("ada");
    let decided = 0;
    policy.change(() => {
      decided++;
      time.advance(1);
      return "allowed";
    });
    assert.equal(decided, 10);
    for (let slice = 0; slice < 20; slice++) {
      await settle();
      time.advance(0);
    }
    await settle();
    assert.equal(streams.counts.allowed, 100);
  });

  it("go on while the mixer cannot be asked, and are decided as soon as it can", async () => {
    const { time, policy, streams, add } = rig();
    const stream = add("bob");
    let answer: Recheck = "undecided";
    policy.change(() => answer);
    await settle();
    assert.equal(streams.counts.undecided, 1);
    await time.advanceAndSettle(399);
    assert.equal(streams.counts.undecided, 1);
    await time.advanceAndSettle(1);
    assert.equal(streams.counts.undecided, 2);
    answer = "refused";
    await time.advanceAndSettle(30_000);
    assert.equal(stream.refused, 1);
    assert.equal(time.scheduled, 0);
  });

  it("are decided by the newest policies, when these change while others are being put to them", async () => {
    const { policy, add } = rig();
    const streams = Array.from({ length: 200 }, () => add("bob"));
    policy.change(async (): Promise<Recheck> => {
      await settle();
      return "allowed";
    });
    await settle();
    policy.change(() => "refused");
    for (let turn = 0; turn < 20; turn++) await settle();
    assert.ok(streams.every(({ refused }) => refused === 1));
  });

  it("cost nothing once they are over, or the proxy is closed", async () => {
    const { time, policy, streams, add } = rig();
    const over = add("bob");
    streams.remove(over);
    const open = add("bob");
    policy.change(() => "undecided");
    await settle();
    streams.close();
    await settle();
    policy.change(() => "refused");
    await settle();
    assert.deepEqual([over.refused, open.refused, time.scheduled], [0, 0, 0]);
  });
});

/** Server-sent events, a gRPC stream or an ordinary slow answer, by the path. */
const streaming: RequestListener = (incoming, outgoing) => {
  const types: Readonly<Record<string, string>> = {
    "/events": "text/event-stream",
    "/grpc": "application/grpc+proto",
    "/slow": "text/plain",
  };
  outgoing.writeHead(200, { "content-type": types[incoming.url ?? ""] });
  outgoing.write("data: 1\n\n");
  open.push(outgoing);
};
const open: ServerResponse[] = [];

/** Opens a stream, and collects what comes. */
function listen(port: number, path: string, user: string) {
  const socket = connect(port, "127.0.0.1");
  const state = { received: "", closed: false };
  socket.on("data", (chunk) => (state.received += chunk.toString("latin1")));
  socket.on("error", () => {});
  socket.on("close", () => (state.closed = true));
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nte: trailers\r\nx-user: ${user}\r\n\r\n`);
  onCleanup(() => void socket.destroy());
  return state;
}

describeTransports("open streams", () => {
  afterEach(async () => {
    for (const outgoing of open.splice(0)) outgoing.destroy();
    await cleanUp();
  });

  const headersOf = (bag: AttributeBag) => (bag["request"] as { headers: Record<string, string> }).headers;

  it("are cut when the policies refuse them now; others, and ordinary responses, go on", async () => {
    const { port, policy, proxy } = await startWith(streaming);
    const bob = listen(port, "/events", "bob");
    const ada = listen(port, "/events", "ada");
    const slow = listen(port, "/slow", "bob");
    await until(() => [bob, ada, slow].every(({ received }) => received.includes("data: 1")));
    policy.change((bag) => (headersOf(bag)["x-user"] === "bob" ? "refused" : "allowed"));
    await until(() => bob.closed);
    assert.deepEqual([ada.closed, slow.closed], [false, false]);
    assert.doesNotMatch(bob.received, /\r\n0\r\n/, "the response is marked as incomplete");
    const response = groupOf(policy.reports, "response");
    assert.deepEqual([response["code"], response["flags"]], [200, "UAEX"]);
    assert.equal(response["code_details"], "refused_by_changed_policy");
    for (const outgoing of open.splice(0)) outgoing.end("last");
    await until(() => ada.received.includes("last") && slow.received.includes("last"));
    const metrics = await proxy.registry.metrics();
    assert.match(metrics, /purser_proxy_stream_rechecks_total\{outcome="refused"\} 1/);
    assert.match(metrics, /purser_proxy_stream_rechecks_total\{outcome="allowed"\} 1/);
    await until(() => policy.reports.length === 3);
    assert.match(await proxy.registry.metrics(), /purser_proxy_long_streams 0/);
  });

  it("of gRPC end with a status", async () => {
    const { port, policy } = await startWith(streaming);
    const bob = listen(port, "/grpc", "bob");
    await until(() => bob.received.includes("data: 1"));
    policy.change(() => "refused");
    await until(() => bob.received.includes("grpc-status: 7"));
    assert.match(bob.received, /\r\n0\r\ngrpc-status: 7\r\ngrpc-message: the policies have changed\r\n\r\n$/);
    // The connection can be used again.
    assert.equal(bob.closed, false);
  });
});
