// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Pool } from "undici";

import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

/** Length of the overload; OVERLOAD_SECONDS=120 makes it two minutes. */
const OVERLOAD_MS = Number(process.env["OVERLOAD_SECONDS"] ?? 20) * 1_000;

/**
 * The service: 10 requests at a time, each for 30 to 50 ms, 250 a second. Further requests wait in its queue. The latency is far
 * above what a busy machine adds to it.
 */
const SLOTS = 10;
const SERVICE_MS = { least: 30, most: 50 };
const CAPACITY_PER_S = (SLOTS * 1_000) / ((SERVICE_MS.least + SERVICE_MS.most) / 2);

/**
 * Bound of the 99th percentile of critical requests, relative to the one without load. OVERLOAD_STRICT=1 demands the
 * aim, 2. Stalls of a busy machine look like latency, lower the limit for moments, and make requests wait.
 */
const MAX_SLOWDOWN = process.env["OVERLOAD_STRICT"] === "1" ? 2 : 3;

/** Longest stall of this process, at the 99th percentile, with which the figures say something of the proxy. */
const MAX_STALL_MS = SERVICE_MS.least / 2;

/** A quarter of the requests are critical: three quarters of the capacity when three times the capacity is offered. */
const CRITICAL_SHARE = 0.25;
const OFFERED_PER_S = 3 * CAPACITY_PER_S;
const UNLOADED_PER_S = CAPACITY_PER_S / 5;

const DOCUMENTS = `apiVersion: purser.dev/v1
kind: Overload
metadata: { name: protect-shop }
spec:
  host: shop
  baseline: { bufferPercent: 5 }
  concurrency: { updateInterval: 500ms }
  priority: 'request.headers."x-class" = "critical" ? 0 : 6'
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
    - { timeout: 5s, retries: { attempts: 0 }, route: [{ destination: { host: shop } }] }
`;

/** A service with few slots, which answers in the order of arrival. */
class SlowService {
  readonly #waiting: ServerResponse[] = [];
  #busy = 0;
  busyMs = 0;

  accept(response: ServerResponse): void {
    this.#waiting.push(response);
    this.#next();
  }

  #next(): void {
    const response = this.#busy < SLOTS ? this.#waiting.shift() : undefined;
    if (response === undefined) return;
    this.#busy++;
    const startMs = performance.now();
    const durationMs = SERVICE_MS.least + Math.random() * (SERVICE_MS.most - SERVICE_MS.least);
    setTimeout(() => {
      this.busyMs += performance.now() - startMs;
      this.#busy--;
      response.end("ok");
      this.#next();
    }, durationMs);
  }
}

interface Outcome {
  readonly status: number;
  readonly latencyMs: number;
}

/** Sends requests at a rate, whatever the answers, as many independent clients do. */
async function offer(
  pool: Pool,
  perSecond: number,
  durationMs: number,
  criticalShare: number,
): Promise<{ readonly critical: Outcome[]; readonly others: Outcome[] }> {
  const outcomes = { critical: [] as Outcome[], others: [] as Outcome[] };
  const under: Promise<void>[] = [];
  const send = async (list: Outcome[], kind: string): Promise<void> => {
    const startMs = performance.now();
    const status = await pool
      .request({ path: "/", method: "GET", headers: { host: "shop", "x-class": kind } })
      .then(async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      })
      .catch(() => 0);
    list.push({ status, latencyMs: performance.now() - startMs });
  };
  const beginMs = performance.now();
  for (let sent = 0; performance.now() - beginMs < durationMs; ) {
    for (; sent < ((performance.now() - beginMs) * perSecond) / 1_000; sent++) {
      const isCritical = Math.random() < criticalShare;
      under.push(send(isCritical ? outcomes.critical : outcomes.others, isCritical ? "critical" : "batch"));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(under);
  return outcomes;
}

function percentileMs(outcomes: readonly Outcome[], percentile: number): number {
  const sorted = outcomes.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
  return sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? Number.NaN;
}

const goodOf = (outcomes: readonly Outcome[]): Outcome[] => outcomes.filter(({ status }) => status === 200);

describe(`a service with three times the load that it can answer, for ${OVERLOAD_MS / 1_000} s`, function () {
  this.timeout(OVERLOAD_MS + 40_000);
  const service = new SlowService();
  let mesh: MeshProgram;
  let pool: Pool;

  before(async () => {
    mesh = await startMesh(DOCUMENTS, { listener: (_request, response) => service.accept(response) });
    pool = new Pool(mesh.edge, { connections: 1_000 });
  });
  after(async () => {
    await pool?.destroy();
    await mesh?.stop();
  });

  it(`answers its critical requests, at most ${MAX_SLOWDOWN} times as slowly as without the load`, async function () {
    // A stall of the machine in the wrong moment lowers the limit for seconds: about one run in twenty on two busy cores.
    this.retries(1);
    await offer(pool, UNLOADED_PER_S, 2_000, 1);
    const unloaded = await offer(pool, UNLOADED_PER_S, 4_000, 1);
    const unloadedMs = percentileMs(unloaded.critical, 99);

    // Until the limit has followed: a class that begins in the middle of a measurement is not the subject.
    await offer(pool, OFFERED_PER_S, 3_000, CRITICAL_SHARE);
    const busyBeforeMs = service.busyMs;
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const { critical, others } = await offer(pool, OFFERED_PER_S, OVERLOAD_MS, CRITICAL_SHARE);
    loop.disable();
    const stallMs = loop.percentile(99) / 1_000_000;
    const usage = (service.busyMs - busyBeforeMs) / (SLOTS * OVERLOAD_MS);
    const goodput = goodOf(critical).length / critical.length;
    const overloadedMs = percentileMs(goodOf(critical), 99);
    const text =
      `critical: ${(goodput * 100).toFixed(2)} % of ${critical.length} answered, p50 ${percentileMs(goodOf(critical), 50).toFixed(0)} ms, ` +
      `p99 ${overloadedMs.toFixed(0)} ms (unloaded: ${unloadedMs.toFixed(0)} ms); ` +
      `others: ${goodOf(others).length} of ${others.length} answered; capacity used: ${(usage * 100).toFixed(0)} %; event loop of clients and service: p99 ${stallMs.toFixed(0)} ms`;
    console.log(`      ${text}`);
    // The service runs in this process: without the processor, it has not the capacity that the test assumes.
    if (stallMs > MAX_STALL_MS) {
      console.warn("      skipped: other programs take too much of the processor");
      this.skip();
    }

    assert.ok(critical.length > (OFFERED_PER_S * CRITICAL_SHARE * OVERLOAD_MS) / 1_000 / 2, text);
    assert.ok(
      others.every(({ status }) => status === 200 || status === 503),
      text,
    );
    assert.ok(goodput >= 0.95, text);
    assert.ok(overloadedMs <= MAX_SLOWDOWN * unloadedMs, text);
    // The other requests get the rest of the capacity, and are not shed for nothing.
    assert.ok(goodOf(others).length > 0, text);
  });
});
