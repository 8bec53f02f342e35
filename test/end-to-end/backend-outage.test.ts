// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { Backend } from "../delivery/backend.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

/** How long each phase lasts, in seconds: OUTAGE_SECONDS=60 for the long run. */
const PHASE_MS = Number(process.env["OUTAGE_SECONDS"] ?? "6") * 1_000;

/** Requests a second: far below what the mesh can take, so that latencies show a disturbance and not the load. */
const RATE = 200;

interface QueueStatus {
  readonly accepted: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly dropped: Readonly<Record<string, number>>;
}

interface HandlerStatus {
  readonly name: string;
  readonly queues: readonly QueueStatus[];
}

describe("backends of telemetry that stop under load", function () {
  this.timeout(PHASE_MS * 4 + 120_000);
  let folder: string;
  let mesh: MeshProgram;
  let pool: Pool;
  const backends = new Map<string, Backend>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "purser-outage-"));
    const handlers: string[] = [];
    for (const [adapter, status] of [
      ["webhook", 204],
      ["loki", 204],
      ["zipkin", 202],
    ] as const) {
      const backend = await Backend.start({ accepted: { status } });
      backends.set(adapter, backend);
      handlers.push(`apiVersion: purser.dev/v1
kind: Handler
metadata: { name: ${adapter} }
spec:
  adapter: ${adapter}
  config: { url: "http://127.0.0.1:${backend.port}" }
  delivery: { class: at-least-once, timeout: 1s, linger: 100ms, queueSize: 500, spool: { directory: "${folder}" } }
---
`);
    }
    mesh = await startMesh(`${handlers.join("")}kind: LogEntry
metadata: { name: access }
spec: { variables: { path: request.path, code: response.code }, handlers: [webhook, loki] }
---
kind: TraceSpan
metadata: { name: spans }
spec: { handlers: [zipkin] }
`);
    pool = new Pool(mesh.edge, { connections: 16 });
  });

  after(async () => {
    await pool?.destroy();
    await mesh?.stop();
    for (const backend of backends.values()) await backend.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let sent = 0;
  /** Sends at the rate for one phase; resolves with the 99th percentile of the latencies, in milliseconds. */
  const load = async (): Promise<number> => {
    const latenciesMs: number[] = [];
    const pending: Promise<void>[] = [];
    const startMs = performance.now();
    for (let index = 0; performance.now() - startMs < PHASE_MS; index++) {
      const dueMs = startMs + (index * 1_000) / RATE;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      sent++;
      const one = async (): Promise<void> => {
        const beginMs = performance.now();
        const { statusCode, body } = await pool.request({
          method: "GET",
          path: `/r${sent}`,
          headers: { host: "shop" },
        });
        await body.dump();
        assert.equal(statusCode, 200);
        latenciesMs.push(performance.now() - beginMs);
      };
      pending.push(one());
    }
    await Promise.all(pending);
    latenciesMs.sort((a, b) => a - b);
    return latenciesMs[Math.floor(latenciesMs.length * 0.99)] as number;
  };

  const queues = async (): Promise<readonly (QueueStatus & { readonly name: string })[]> => {
    const answer = await fetch(`${mesh.mixer}/v1/handlers`);
    const { handlers } = (await answer.json()) as { handlers: HandlerStatus[] };
    return handlers.flatMap(({ name, queues: [queue] }) => (queue === undefined ? [] : [{ ...queue, name }]));
  };

  it("delay no request, and get everything when they are back", async () => {
    await load();
    const quietMs = await load();
    for (const backend of backends.values()) await backend.close();
    const awayMs = await load();
    const waiting = await queues();
    for (const { name, waiting: items } of waiting)
      assert.ok(items > (RATE * PHASE_MS) / 4_000, `${name}: ${items}`);
    for (const backend of backends.values()) await backend.open();
    await eventually(
      async () => {
        const all = await queues();
        assert.equal(all.length, 3);
        for (const { name, ...queue } of all)
          assert.deepEqual(
            [name, queue.accepted, queue.delivered, queue.waiting, queue.dropped],
            [name, sent, sent, 0, {}],
          );
      },
      { deadlineMs: 60_000 },
    );
    // Busy machines have slow requests of their own; a request that waits for a backend waits for a second.
    assert.ok(awayMs <= 3 * quietMs + 25, `p99 ${quietMs} ms before, ${awayMs} ms during the outage`);
    if (process.env["OUTAGE_SECONDS"] !== undefined)
      console.warn(
        `      p99 ${quietMs.toFixed(1)} ms before, ${awayMs.toFixed(1)} ms during the outage; ${sent} requests`,
      );
  });
});
