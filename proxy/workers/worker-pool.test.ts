// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Counter, Registry } from "prom-client";
import { isPurserError } from "../../kernel/errors.ts";
import { createVirtualTime, type VirtualTime } from "../../plugins/sdk/testing/time.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/logger.ts";
import { joinClusterRows } from "../admin/cluster-rows.ts";
import { PoolMetrics } from "./pool-metrics.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { PoolMessage, WorkerMessage, WorkerProcess } from "./worker-messages.ts";

/** A worker process that does nothing by itself. */
class ToyProcess implements WorkerProcess<number> {
  readonly pid: number;
  readonly received: PoolMessage<number>[] = [];
  killed = false;
  onMessage: (message: WorkerMessage) => void = () => {};
  onExit: (how: string) => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
  }

  send(message: PoolMessage<number>): void {
    this.received.push(message);
  }

  kill(): void {
    this.killed = true;
    this.onExit("signal SIGKILL");
  }

  serve(): void {
    this.onMessage({ kind: "hello" });
    this.onMessage({
      kind: "listening",
      listeners: [{ name: "edge", scheme: "http", host: "127.0.0.1", port: 8080 }],
    });
  }
}

function setUp(workers: number) {
  const time: VirtualTime = createVirtualTime();
  const processes: ToyProcess[] = [];
  const logger = createCollectingLogger();
  const records = logger.lines;
  const pool = new WorkerPool<number>({
    clock: time.clock,
    scheduler: time.scheduler,
    random: () => 0.5,
    logger,
    workers,
    fork: () => {
      const process = new ToyProcess(1000 + processes.length);
      processes.push(process);
      return process;
    },
    setupOf: (number) => number,
    drainMs: 1_000,
  });
  return { time, processes, records, pool };
}

describe("a pool of workers", () => {
  it("has started when every worker listens; each gets its setup when it says that it is there", async () => {
    const { processes, pool } = setUp(2);
    let started = false;
    const start = pool.start().then(() => (started = true));
    assert.equal(processes.length, 2);
    assert.deepEqual(processes[0]?.received, []);
    processes[0]?.serve();
    await Promise.resolve();
    assert.equal(started, false);
    processes[1]?.serve();
    await start;
    assert.deepEqual(processes[1]?.received, [{ kind: "start", setup: 2 }]);
    assert.deepEqual(pool.addresses().listeners, [
      { name: "edge", scheme: "http", host: "127.0.0.1", port: 8080 },
    ]);
  });

  it("does not start when a worker cannot, and ends the others", async () => {
    const { processes, pool } = setUp(2);
    const start = pool.start();
    processes[0]?.serve();
    processes[1]?.onMessage({
      kind: "failed",
      code: "PURSER_PORT_TAKEN",
      message: "port 80 is taken",
      details: { port: 80 },
    });
    processes[1]?.onExit("exit code 0");
    const ended = assert.rejects(
      start,
      (error) => isPurserError(error) && error.code === "PURSER_PORT_TAKEN",
    );
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(processes[0]?.received.at(-1), { kind: "drain", deadlineMs: 0 });
    processes[0]?.onExit("exit code 0");
    await ended;
    assert.equal(processes.length, 2);
  });

  it("replaces a worker that ended under the same number, names it, and backs off while it fails early", async () => {
    const { time, processes, records, pool } = setUp(1);
    const start = pool.start();
    processes[0]?.serve();
    await start;
    processes[0]?.onExit("signal SIGSEGV");
    assert.equal(processes.length, 1);
    const { message, fields } = records.at(-1) ?? {};
    assert.equal(message, "a worker ended unasked and is replaced");
    assert.deepEqual(fields, { worker: 1, pid: 1000, how: "signal SIGSEGV", pauseMs: 150 });
    time.advance(150);
    assert.equal(processes.length, 2);
    processes[1]?.serve();
    assert.deepEqual(processes[1]?.received, [{ kind: "start", setup: 1 }]);
    time.advance(5_000);
    processes[1]?.onExit("exit code 1");
    assert.equal(records.at(-1)?.fields["pauseMs"], 250);
    time.advance(250);
    processes[2]?.serve();
    // A worker that ran for ten seconds had started well.
    time.advance(10_000);
    processes[2]?.onExit("exit code 1");
    assert.equal(records.at(-1)?.fields["pauseMs"], 0);
    time.advance(0);
    assert.equal(processes.length, 4);
  });

  it("drains its workers, kills one that does not end in time, and replaces none", async () => {
    const { time, processes, pool } = setUp(2);
    const start = pool.start();
    for (const process of processes) process.serve();
    await start;
    const closed = pool.close(800);
    for (const process of processes)
      assert.deepEqual(process.received.at(-1), { kind: "drain", deadlineMs: 800 });
    processes[0]?.onExit("exit code 0");
    time.advance(799);
    assert.equal(processes[1]?.killed, false);
    time.advance(1);
    assert.equal(processes[1]?.killed, true);
    await closed;
    time.advance(60_000);
    assert.equal(processes.length, 2);
  });

  it("does not fork a replacement that was due when the pool closes", async () => {
    const { time, processes, pool } = setUp(1);
    const start = pool.start();
    processes[0]?.serve();
    await start;
    processes[0]?.onExit("exit code 1");
    await pool.close(0);
    time.advance(60_000);
    assert.equal(processes.length, 1);
    assert.equal(time.scheduled, 0);
  });
});

describe("the metrics of a pool", () => {
  const familiesOf = async (requests: number) => {
    const registry = new Registry();
    new Counter({ name: "requests_total", help: "Requests.", registers: [registry] }).inc(requests);
    return registry.getMetricsAsJSON();
  };

  it("are the sums of its workers, those that have ended included", async () => {
    const metrics = new PoolMetrics(() => 2);
    const [one, two] = [await familiesOf(3), await familiesOf(4)];
    assert.match(await metrics.exposition([one, two]), /^requests_total 7$/m);
    metrics.retire(two);
    assert.match(await metrics.exposition([one]), /^requests_total 7$/m);
    metrics.retire(one);
    assert.match(await metrics.exposition([await familiesOf(1)]), /^requests_total 8$/m);
    metrics.countRestart();
    const own = await metrics.exposition([]);
    assert.match(own, /^purser_proxy_worker_restarts_total 1$/m);
    assert.match(own, /^purser_proxy_workers 2$/m);
  });

  it("join the counts of clusters, every reason of ill health, and no weights", () => {
    const sum = (key: string, value: number) => ({ key, value, join: "sum" as const });
    const weight = { key: "a::weight", value: 5, join: "first" as const };
    const health = (value: string) => ({ key: "a::health_flags", value, join: "health-flags" as const });
    assert.deepEqual(
      joinClusterRows([
        [sum("a::rq_total", 1), weight, health("healthy")],
        [sum("a::rq_total", 2), weight, health("/failed_active_hc"), sum("b::rq_total", 9)],
        [health("/failed_active_hc/failed_outlier_check")],
      ]),
      [
        sum("a::rq_total", 3),
        weight,
        health("/failed_active_hc/failed_outlier_check"),
        sum("b::rq_total", 9),
      ],
    );
  });
});
