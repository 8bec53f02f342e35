// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect, type Socket } from "node:net";
import { percentile, rounded } from "../load/statistics.ts";
import { CONNECTIONS, requestHead, USERS } from "../load/workloads.ts";
import type { PacedLoad } from "../load/paced.ts";

/**
 * An open loop: GET requests at a fixed rate, however long the answers take. A request is due at the first turn of this
 * process's loop after its slot (slots are 1/rate apart; the loop turns once a millisecond), and its latency counts from
 * then, also while all connections are busy. A delay of this process itself is not the proxy's, and is told apart.
 */
const { port, rate, seconds, path } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly port: number;
  readonly rate: number;
  readonly seconds: number;
  readonly path: string;
};

/** Length of the windows in which a stall of the proxy shows. */
const WINDOW_MS = 100;
/** Time that answers may take after the last request. */
const GRACE_MS = 2_000;

const REQUESTS = Array.from({ length: USERS }, (_, at) =>
  requestHead({ method: "GET", path, bodyBytes: 0 }, `127.0.0.1:${port}`, at + 1),
);

const total = Math.floor(rate * seconds);
const dueMs = new Float64Array(total);
const latencyMs = new Float64Array(total).fill(-1);
let due = 0;
let sent = 0;
let answered = 0;
let errors = 0;
let generatorLateMs = 0;
let isOver = false;
const free: Connection[] = [];

class Connection {
  readonly #socket: Socket;
  readonly isReady: Promise<void>;
  #request = -1;
  #head = "";
  #left = -1;

  constructor() {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", () => this.#socket.destroy());
    this.isReady = new Promise((resolve) => {
      this.#socket.once("connect", () => {
        free.push(this);
        resolve();
        sendWaiting();
      });
      this.#socket.once("close", () => {
        resolve();
        this.#closed();
      });
    });
  }

  send(request: number): void {
    this.#request = request;
    this.#socket.write(REQUESTS[request % USERS] ?? "", "latin1");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#left >= 0) {
      this.#left -= chunk.length;
    } else {
      this.#head += chunk.toString("latin1", 0, chunk.length);
      const end = this.#head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = this.#head.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (!head.startsWith("HTTP/1.1 200 ") || Number.isNaN(length)) errors++;
      // A response of unknown length cannot be followed by another one.
      if (Number.isNaN(length)) return void this.#socket.destroy();
      this.#left = length - (this.#head.length - end - 4);
    }
    if (this.#left > 0) return;
    latencyMs[this.#request] = performance.now() - (dueMs[this.#request] ?? 0);
    answered++;
    this.#head = "";
    this.#left = -1;
    this.#request = -1;
    free.push(this);
    sendWaiting();
  }

  #closed(): void {
    if (isOver) return;
    const at = free.indexOf(this);
    if (at !== -1) free.splice(at, 1);
    else errors++;
    // A server that refuses connections is tried again, though not at once.
    setTimeout(() => new Connection(), 10);
  }
}

function sendWaiting(): void {
  while (sent < due) {
    const connection = free.shift();
    if (connection === undefined) return;
    connection.send(sent++);
  }
}

await Promise.all(Array.from({ length: CONNECTIONS }, () => new Connection().isReady));
const startMs = performance.now();
let turnMs = startMs;
const timer = setInterval(() => {
  const nowMs = performance.now();
  generatorLateMs = Math.max(generatorLateMs, nowMs - turnMs - 1);
  turnMs = nowMs;
  const slots = Math.min(total, Math.floor(((nowMs - startMs) / 1000) * rate));
  while (due < slots) dueMs[due++] = nowMs;
  sendWaiting();
  const isAnswered = due === total && answered >= total;
  if (isAnswered || nowMs - startMs > seconds * 1000 + GRACE_MS) finish(nowMs);
}, 1);

function finish(nowMs: number): void {
  clearInterval(timer);
  isOver = true;
  let unanswered = 0;
  // A request without an answer has taken at least until now.
  for (let request = 0; request < due; request++) {
    if ((latencyMs[request] ?? 0) >= 0) continue;
    unanswered++;
    latencyMs[request] = nowMs - (dueMs[request] ?? 0);
  }
  const all = latencyMs.subarray(0, due);
  const windows = windowsOf(all);
  const ascending = all.slice().sort();
  const figures: PacedLoad = {
    rate,
    answered,
    errors,
    unanswered,
    p50Ms: rounded(percentile(ascending, 50), 3),
    p99Ms: rounded(percentile(ascending, 99), 3),
    maxMs: rounded(ascending.at(-1) ?? 0, 3),
    worstWindowP99Ms: rounded(Math.max(0, ...windows), 3),
    generatorLateMs: rounded(generatorLateMs, 3),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
}

/** The p99 of each window of the run, by the times at which requests were due. */
function windowsOf(latencies: Float64Array): readonly number[] {
  const windows = new Map<number, number[]>();
  latencies.forEach((latency, request) => {
    const index = Math.floor(((dueMs[request] ?? 0) - startMs) / WINDOW_MS);
    const window = windows.get(index);
    if (window === undefined) windows.set(index, [latency]);
    else window.push(latency);
  });
  return [...windows.values()].map((window) =>
    percentile(
      window.sort((a, b) => a - b),
      99,
    ),
  );
}
