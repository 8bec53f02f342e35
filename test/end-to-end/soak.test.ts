// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";

import { eventually } from "../support/eventually.ts";
import { answerTo, BAD, type FlakyUpstream, GOOD, startFlakyUpstream } from "../support/flaky-upstream.ts";
import { serviceEntry } from "../support/mesh-folder.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

/** Length of the soak; SOAK_SECONDS=3600 makes it an hour. */
const SOAK_MS = Number(process.env["SOAK_SECONDS"] ?? 15) * 1_000;
const CONCURRENCY = 128;
/** The route's timeout is 1 s: a request that takes longer than this is stuck, even on a busy machine. */
const STUCK_MS = 20_000;

const documents = (ports: readonly number[]): string => `${serviceEntry("flaky", ...ports)}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: flaky }
spec:
  host: flaky
  trafficPolicy:
    connectionPool:
      tcp: { maxConnections: 24, connectTimeout: 500ms }
      http: { http1MaxPendingRequests: 32, idleTimeout: 2s, maxRequestsPerConnection: 500 }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: flaky }
spec:
  hosts: [flaky]
  http:
    - { timeout: 1s, route: [{ destination: { host: flaky } }] }
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  key: { user: request.headers."x-user" }
  limit: 1000000
  window: 60s
`;

/** The outcome of one request, as its client saw it. */
interface Outcome {
  readonly method: "GET" | "POST";
  readonly behaviour: string;
  readonly id: string;
  /** Undefined when the connection was cut before or within the response, or the client gave up. */
  readonly status: number | undefined;
  readonly body: string;
  readonly gaveUp: boolean;
}

describe(`a soak of ${SOAK_MS / 1_000} s, with upstreams and clients that fail in every way`, function () {
  this.timeout(SOAK_MS + 60_000);
  const arrived = new Map<string, number>();
  const upstreams: FlakyUpstream[] = [];
  let mesh: MeshProgram;
  let agent: Agent;

  before(async () => {
    for (let index = 0; index < 3; index++) upstreams.push(await startFlakyUpstream(arrived));
    mesh = await startMesh(documents(upstreams.map(({ port }) => port)), {
      environment: { NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=4" },
    });
    agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  });
  after(async () => {
    agent?.destroy();
    await mesh?.stop();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  });

  const send = (index: number): Promise<Outcome> => sendOne(agent, mesh.edge, index);

  async function soak(durationMs: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const endMs = performance.now() + durationMs;
    const worker = async (): Promise<void> => {
      while (performance.now() < endMs) outcomes.push(await send(nextIndex++));
    };
    const killer = async (): Promise<void> => {
      for (let turn = 0; performance.now() < endMs; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 700));
        await upstreams[turn % upstreams.length]?.die(150);
      }
    };
    await Promise.all([killer(), ...Array.from({ length: CONCURRENCY }, worker)]);
    return outcomes;
  }

  it("answers every request once, and leaves no connection, no queue and no memory behind", async () => {
    await soak(SOAK_MS / 5);
    const early = residentBytes(mesh.program.pid);
    const outcomes = await soak((SOAK_MS * 4) / 5);
    const grownMib = (residentBytes(mesh.program.pid) - early) / 1024 / 1024;

    for (const outcome of outcomes) checkOutcome(outcome);
    const good = outcomes.filter(({ behaviour, gaveUp }) => !gaveUp && isGood(behaviour));
    const answered = good.filter(({ status }) => status === 200);
    // The rest met an upstream that died, a full queue, or a stalled connection ahead of them.
    assert.ok(answered.length > good.length / 2, `${answered.length} of ${good.length} were answered`);
    assert.ok(grownMib < 48, `grew by ${grownMib.toFixed(1)} MiB`);

    agent.destroy();
    const count = async (pattern: RegExp): Promise<number> => {
      const text = await (await fetch(`${mesh.admin}/clusters`)).text();
      return [...text.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
    };
    const nothingIsLeft = async (): Promise<void> => {
      assert.equal(await count(/flaky::\S+::rq_active::(\d+)/g), 0);
      assert.equal(await count(/flaky::\S+::rq_pending::(\d+)/g), 0);
      // The idle timeout is 2 s.
      assert.equal(await count(/flaky::\S+::cx_active::(\d+)/g), 0);
      assert.equal(
        upstreams.reduce((sum, { connections }) => sum + connections, 0),
        0,
      );
      const sockets = openSockets(mesh.program.pid);
      assert.ok(sockets < 30, `${sockets} sockets are open`);
    };
    await eventually(nothingIsLeft, { deadlineMs: 20_000, everyMs: 200 });
    assert.equal(mesh.program.errors(), "");
  });

  it("sends no POST twice, and no GET more often than its retries", () => {
    for (const [id, times] of arrived) {
      // Two retries of the default policy, and one after a stale connection.
      const most = id.startsWith("POST") ? 1 : 4;
      assert.ok(times <= most, `${id} arrived ${times} times`);
    }
  });

  it("serves as before afterwards", async () => {
    agent = new Agent({ keepAlive: true });
    for (let index = 0; index < 20; index++) {
      const outcome = await sendOne(agent, mesh.edge, index, "echo");
      if (!outcome.gaveUp) assert.equal(outcome.status, 200);
      checkOutcome(outcome);
    }
  });
});

let nextIndex = 0;

function isGood(behaviour: string): boolean {
  return (GOOD as readonly string[]).includes(behaviour);
}

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T;
}

/** Sends one request with a random behaviour, body and patience. Rejects when it is stuck. */
function sendOne(agent: Agent, origin: string, index: number, wanted?: string): Promise<Outcome> {
  const behaviour = wanted ?? (Math.random() < 0.85 ? pick(GOOD) : pick(BAD));
  const method = behaviour === "early" || Math.random() < 0.3 ? "POST" : "GET";
  const id = `${method}-${behaviour}-${index}`;
  const gaveUpAfterMs = Math.random() < 0.1 ? Math.random() * 60 : undefined;
  return new Promise((resolve, reject) => {
    let gaveUp = false;
    let isOver = false;
    const stuck = setTimeout(() => reject(new Error(`${id} is stuck`)), STUCK_MS);
    const finish = (status: number | undefined, body: string): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(stuck);
      resolve({ method, behaviour, id, status, body, gaveUp });
    };
    const url = new URL(`/${behaviour}/${id}`, origin);
    const headers = { host: "flaky", "x-user": `user-${index % 50}` };
    const outgoing = request(url, { agent, method, headers }, (incoming) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
      incoming.on("end", () => finish(incoming.complete ? incoming.statusCode : undefined, body));
      incoming.on("error", () => finish(undefined, body));
      if (Math.random() < 0.05) {
        incoming.pause();
        setTimeout(() => incoming.resume(), 100);
      }
    });
    outgoing.on("error", () => finish(undefined, ""));
    outgoing.on("close", () => finish(undefined, ""));
    if (gaveUpAfterMs !== undefined) {
      setTimeout(() => {
        if (isOver) return;
        gaveUp = true;
        outgoing.destroy();
      }, gaveUpAfterMs);
    }
    if (method === "GET") outgoing.end();
    else sendBody(outgoing);
  });
}

/** A body of up to 100 KB: at once with its length, or in parts by chunks. */
function sendBody(outgoing: ReturnType<typeof request>): void {
  const body = Buffer.alloc(Math.floor(Math.random() ** 4 * 100_000), "b");
  if (Math.random() < 0.5) {
    outgoing.setHeader("content-length", body.length);
    outgoing.end(body);
    return;
  }
  outgoing.setHeader("transfer-encoding", "chunked");
  outgoing.write(body.subarray(0, body.length / 2));
  setTimeout(() => {
    if (!outgoing.destroyed) outgoing.end(body.subarray(body.length / 2));
  }, 10);
}

/** A response has its own request's body, or is one of the proxy's local replies. */
function checkOutcome({ behaviour, id, status, body, gaveUp }: Outcome): void {
  if (gaveUp || status === undefined) return;
  if (status === 200) {
    assert.ok(isGood(behaviour), `${id} got a 200`);
    assert.equal(body, answerTo(id, behaviour));
  } else {
    assert.ok([502, 503, 504].includes(status), `${id} got ${status}`);
    assert.match(body, /"code":"PURSER_PROXY_/);
    assert.ok(status !== 502 || behaviour === "garbage" || behaviour === "poison", `${id} got ${status}`);
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
