// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import type { RetryPolicy } from "../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY } from "../../core/traffic/retry.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  groupOf,
  routeOf,
  startProxy,
} from "../testing/harness.test.ts";
import { type MemoryClientStream, MemoryTransport } from "../testing/memory-transport.test.ts";

const TRY_MS = 100;
const HEDGE: RetryPolicy = {
  ...DEFAULT_RETRY_POLICY,
  retries: 2,
  perTryTimeoutMs: TRY_MS,
  backoffBaseMs: 1,
  backoffMaxMs: 1,
  hedgeOnTryTimeout: true,
};

/** Longest pause before a try, with the wheel's ticks. */
const PAUSE_MS = 20;

async function start(more: Partial<RetryPolicy> = {}, limits: { readonly maxRetries?: number } = {}) {
  const time = createVirtualTime();
  const transport = new MemoryTransport();
  const cluster = clusterOf([endpointAt(1), endpointAt(2), endpointAt(3), endpointAt(4)], limits);
  const action = { retry: { ...HEDGE, ...more }, timeoutMs: 1_000 };
  const { policy, proxy } = await startProxy(
    configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, action))] }),
    { transport, clock: time.clock, scheduler: time.scheduler, random: () => 0.5 },
  );
  /** Requests under way upstream, by the proxy's own counts. */
  const active = (): number =>
    proxy
      .clusters()
      .filter(({ key }) => key.endsWith("::rq_active"))
      .reduce((sum, { value }) => sum + Number(value), 0);
  return { time, transport, policy, active };
}

const end = (stream: MemoryClientStream | undefined): void => stream?.receiver.onEnd(undefined);
const portsOf = ({ opened }: MemoryTransport): number => opened.length;

describe("hedged requests", () => {
  afterEach(cleanUp);

  it("begin a second try beside the first, and reset the one that answers later", async () => {
    for (const winner of [0, 1]) {
      const { time, transport, policy, active } = await start();
      const client = transport.request();
      time.advance(TRY_MS - 1);
      assert.equal(portsOf(transport), 1);
      time.advance(1 + PAUSE_MS);
      assert.equal(portsOf(transport), 2);
      const [first, second] = transport.opened;
      assert.deepEqual([first?.isReset, second?.isReset, active()], [false, false, 2]);
      transport.opened[winner]?.answer(200, ["x-by", String(winner)]);
      assert.deepEqual([first?.isReset, second?.isReset], [winner === 1, winner === 0]);
      transport.opened[winner]?.receiver.onData(new Uint8Array([7]));
      end(transport.opened[winner]);
      assert.deepEqual(
        client.sent.map(({ status, headers }) => [status, headers.get("x-by")]),
        [[200, String(winner)]],
      );
      assert.equal(client.chunks.length, 1);
      assert.equal(policy.reports.length, 1);
      assert.deepEqual([active(), groupOf(policy.reports, "response")["flags"]], [0, "-"]);
    }
  });

  it("take the answer of the first while the second waits for its turn, and open no second then", async () => {
    const { time, transport } = await start({ backoffBaseMs: 100, backoffMaxMs: 100 });
    const client = transport.request();
    time.advance(TRY_MS + 10);
    transport.opened[0]?.answer(200);
    end(transport.opened[0]);
    time.advance(1_000);
    assert.deepEqual([client.sent.length, portsOf(transport)], [1, 1]);
  });

  it("lose a failed try while another is under way, and tell the client of the last failure alone", async () => {
    const { time, transport, active } = await start({ retries: 1 });
    const client = transport.request();
    time.advance(TRY_MS + PAUSE_MS);
    transport.opened[1]?.answer(503);
    assert.deepEqual([client.sent.length, transport.opened[1]?.isReset], [0, true]);
    transport.opened[0]?.fail("remote-reset");
    assert.deepEqual(
      client.sent.map(({ status }) => status),
      [503],
    );
    assert.equal(active(), 0);
  });

  it("go on until the route's timeout when the attempts are used up", async () => {
    const { time, transport, active, policy } = await start({ retries: 1 });
    const client = transport.request();
    time.advance(900);
    assert.deepEqual([client.sent.length, portsOf(transport), active()], [0, 2, 2]);
    time.advance(110);
    assert.deepEqual(
      client.sent.map(({ status }) => status),
      [504],
    );
    assert.ok(transport.opened.every(({ isReset }) => isReset));
    assert.deepEqual([active(), groupOf(policy.reports, "response")["flags"]], [0, "UT"]);
  });

  it("send a buffered body twice, and a POST only when the route says so", async () => {
    const body = { hasBody: true, contentLength: 2 };
    for (const [method, idempotentOnly, tries] of [
      ["PUT", true, 2],
      ["POST", true, 1],
      ["POST", false, 2],
    ] as const) {
      const { time, transport } = await start({ idempotentOnly });
      const client = transport.request({ method, ...body });
      client.receiver?.onData(new Uint8Array([1, 2]));
      client.receiver?.onEnd(undefined);
      time.advance(TRY_MS + PAUSE_MS);
      assert.equal(portsOf(transport), tries, `${method} ${idempotentOnly}`);
    }
  });

  it("never send a body twice that is streamed, nor an upgrade", async () => {
    for (const head of [
      { method: "PUT", hasBody: true, contentLength: undefined },
      { upgrade: "websocket" },
    ]) {
      const { time, transport } = await start();
      const client = transport.request(head);
      client.receiver?.onEnd(undefined);
      time.advance(500);
      assert.equal(portsOf(transport), 1);
      assert.deepEqual(
        client.sent.map(({ status }) => status),
        [504],
      );
    }
  });

  it("count against the retries that may be under way, and give their places back", async () => {
    const { time, transport } = await start({}, { maxRetries: 1 });
    const clients = [transport.request(), transport.request()];
    time.advance(TRY_MS + PAUSE_MS);
    assert.equal(portsOf(transport), 3);
    for (const stream of transport.opened) if (!stream.isReset) stream.answer(200);
    for (const stream of transport.opened) if (!stream.isReset) end(stream);
    assert.deepEqual(
      clients.map(({ sent }) => sent.length),
      [1, 1],
    );
    transport.request();
    time.advance(TRY_MS + PAUSE_MS);
    assert.equal(portsOf(transport), 5);
  });

  it("give one response at most, by no more tries than allowed, and leave nothing behind", async () => {
    const outcome = fc.record({
      afterMs: fc.integer({ min: 0, max: 400 }),
      kind: fc.constantFrom("good", "bad", "reset", "refused", "never"),
    });
    const plan = fc.record({
      retries: fc.integer({ min: 0, max: 3 }),
      maxRetries: fc.integer({ min: 0, max: 2 }),
      outcomes: fc.array(outcome, { minLength: 4, maxLength: 4 }),
      leaveMs: fc.option(fc.integer({ min: 0, max: 800 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ retries, maxRetries, outcomes, leaveMs }) => {
        const { time, transport, policy, active } = await start({ retries }, { maxRetries });
        const client = transport.request();
        let isGone = false;
        if (leaveMs !== undefined)
          time.scheduler.after(leaveMs, () => {
            if (policy.reports.length > 0) return;
            isGone = true;
            client.events?.onClose("remote-reset");
          });
        const goodAt: { by: number; atMs: number }[] = [];
        let planned = 0;
        const handled = new Set<MemoryClientStream>();
        for (let atMs = 0; atMs < 1_200; atMs++) {
          for (; planned < transport.opened.length; planned++) {
            const stream = transport.opened[planned] as MemoryClientStream;
            const { afterMs, kind } = outcomes[planned] ?? { afterMs: 0, kind: "never" };
            const by = planned;
            time.scheduler.after(afterMs, () => {
              if (stream.isReset || kind === "never") return;
              handled.add(stream);
              if (kind === "reset") return stream.fail("remote-reset");
              if (kind === "refused") return stream.fail("remote-refused-stream");
              if (kind === "good") goodAt.push({ by, atMs: time.clock.monotonicMs() });
              stream.answer(kind === "good" ? 200 : 503, ["x-by", String(by)]);
              if (!stream.isReset) end(stream);
            });
          }
          time.advance(1);
        }
        assert.ok(transport.opened.length <= 1 + Math.min(retries, 3), "too many tries");
        if (maxRetries === 0) assert.equal(transport.opened.length, 1);
        assert.equal(client.sent.length, isGone ? 0 : 1);
        assert.equal(policy.reports.length, 1);
        for (const stream of transport.opened)
          assert.ok(stream.isReset || handled.has(stream), "a try is left");
        assert.equal(active(), 0);
        const [first] = goodAt;
        if (!isGone && first !== undefined) {
          assert.equal(goodAt.length, 1, "a try went on after a good response");
          assert.equal(client.sent[0]?.headers.get("x-by"), String(first.by));
          assert.equal(client.sent[0]?.status, 200);
        }
        // The places of retries were given back: another request is hedged.
        if (retries > 0 && maxRetries > 0) {
          const before = transport.opened.length;
          transport.request();
          time.advance(TRY_MS + PAUSE_MS);
          assert.equal(transport.opened.length, before + 2);
        }
        await cleanUp();
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);
});
