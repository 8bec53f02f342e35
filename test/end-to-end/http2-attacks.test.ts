// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  PREFACE,
  RawHttp2Client,
  request,
  settings,
  TYPE,
  u32,
} from "../http2/raw-client.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

/** How long each attack lasts. */
const ATTACK_MS = 2_000;
/** How long honest clients come before the attacks. */
const WARM_UP_MS = 4_000;
/** Connections of the attacker. A connection that the proxy closes is opened again. */
const ATTACKERS = 4;
/** Memory that an attack may take. */
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
/** Memory that all attacks together may leave: V8 keeps a heap that has grown. */
const MAX_TOTAL_GROWTH_BYTES = 128 * 1024 * 1024;
/** The attacker, the proxy and its upstream share two cores, and other programs, with the client that is measured: 180 ms alone. */
const MAX_P99_MS = 2_000;

const BEGIN = Buffer.concat([PREFACE, settings()]);
const SHOP = GET.map(([name, value]) => [name, name === ":authority" ? "shop.mesh" : value] as const);
const POST = SHOP.map(([name, value]) => [name, name === ":method" ? "POST" : value] as const);
const HEAD = SHOP.map(([name, value]) => [name, name === ":method" ? "HEAD" : value] as const);

const repeated = (count: number, one: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));

interface Attack {
  readonly title: string;
  /** The client's first bytes; its SETTINGS by default. */
  readonly first?: Buffer;
  /** The bytes of a round of one connection, which has sent as many rounds. */
  readonly round: (round: number) => Buffer;
  readonly readsNothing?: boolean;
}

/** A name that enters the table, and a value of 4,000 bytes. */
const ENTRY = Buffer.concat([
  Buffer.from([0x40, 3, 0x78, 0x2d, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4_000, 0x61),
]);

const id = (round: number, index: number, each = 100): number => 2 * (round * each + index) + 1;

const ATTACKS: readonly Attack[] = [
  {
    title: "rapid reset (CVE-2023-44487)",
    round: (round) =>
      repeated(100, (index) =>
        Buffer.concat([request(id(round, index), SHOP), frame(TYPE.RST_STREAM, 0, id(round, index), u32(8))]),
      ),
  },
  {
    title: "resets that the proxy is made to send (CVE-2025-8671)",
    round: (round) =>
      repeated(100, (index) =>
        Buffer.concat([
          request(id(round, index), SHOP),
          frame(TYPE.WINDOW_UPDATE, 0, id(round, index), u32(0)),
        ]),
      ),
  },
  {
    title: "CONTINUATION without end (CVE-2024-27983)",
    first: Buffer.concat([BEGIN, request(1, SHOP, END_STREAM)]),
    round: () => repeated(100, () => frame(TYPE.CONTINUATION, 0, 1, block([["x", "y".repeat(5_000)]]))),
  },
  { title: "SETTINGS", round: () => repeated(500, () => settings([[4, 1]])) },
  { title: "PING", round: () => repeated(500, () => frame(TYPE.PING, 0, 0, Buffer.alloc(8))) },
  {
    title: "frames of an unknown type (CVE-2026-48619)",
    round: () => repeated(50, () => frame(12, 0, 0, Buffer.alloc(8_000))),
  },
  {
    title: "a window past its maximum (CVE-2026-21714)",
    round: () => frame(TYPE.WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1)),
  },
  {
    title: "a header bomb",
    round: (round) =>
      repeated(10, (index) => {
        const bomb = Buffer.concat([block(SHOP), ENTRY, Buffer.alloc(10_000, 0xbe)]);
        return frame(TYPE.HEADERS, END_STREAM | END_HEADERS, id(round, index, 10), bomb);
      }),
  },
  {
    title: "large heads (CVE-2026-56846)",
    round: (round) =>
      repeated(10, (index) =>
        request(id(round, index, 10), [...SHOP, ["x-a", "a".repeat(7_000)], ["x-b", "b".repeat(7_000)]]),
      ),
  },
  {
    title: "windows that stay closed",
    first: Buffer.concat([PREFACE, settings([[4, 0]])]),
    round: (round) =>
      round === 0 ? repeated(100, (index) => request(id(round, index), SHOP)) : Buffer.alloc(0),
  },
  {
    title: "bodies that nobody ends",
    round: (round) =>
      round > 0
        ? Buffer.alloc(0)
        : repeated(100, (index) =>
            Buffer.concat([
              request(id(round, index), POST, END_HEADERS),
              frame(TYPE.DATA, 0, id(round, index), Buffer.alloc(600)),
            ]),
          ),
  },
  {
    title: "requests of a client that reads nothing",
    round: (round) => repeated(100, (index) => request(id(round, index), HEAD)),
    readsNothing: true,
  },
];

/** Resident memory of a process, in bytes. */
function memoryOf(pid: number): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

const later = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Attacks until the deadline, with a connection after the other. */
async function attack(
  port: number,
  { first = BEGIN, round, readsNothing }: Attack,
  untilMs: number,
): Promise<void> {
  while (performance.now() < untilMs) {
    const client = new RawHttp2Client(port, first);
    if (readsNothing === true) client.socket.pause();
    for (let rounds = 0; performance.now() < untilMs && !client.isClosed; rounds++) {
      // An attacker that waits for the socket fills no memory of its own.
      if (client.socket.writableLength < 1024 * 1024) client.send(round(rounds));
      client.frames.length = 0;
      await later(1);
    }
    client.socket.destroy();
  }
}

/** Sends requests on a connection of its own until the deadline. Returns the 99th percentile of their times, in ms. */
async function measured(port: number, untilMs: number): Promise<number> {
  const client = new RawHttp2Client(port, BEGIN);
  client.send(frame(TYPE.SETTINGS, 1, 0));
  const timesMs: number[] = [];
  for (let streamId = 1; performance.now() < untilMs; streamId += 2) {
    const beganMs = performance.now();
    client.send(request(streamId, SHOP));
    while (!client.isAnswered(streamId)) {
      assert.ok(!client.isClosed, "the other client was cut");
      assert.ok(performance.now() - beganMs < 10_000, "the other client waits");
      await later(1);
    }
    timesMs.push(performance.now() - beganMs);
    client.frames.length = 0;
    client.send(frame(TYPE.WINDOW_UPDATE, 0, 0, u32(10_000)));
    await later(5);
  }
  client.socket.destroy();
  timesMs.sort((a, b) => a - b);
  return timesMs[Math.floor(timesMs.length * 0.99)] ?? Infinity;
}

/** Number of streams that have ended since the client's frames were forgotten. */
function endedOn({ frames }: RawHttp2Client): number {
  return frames.filter(({ type, flags }) => type <= TYPE.HEADERS && (flags & END_STREAM) !== 0).length;
}

/** Sends as many requests as the proxy answers, 50 at a time. */
async function honest(port: number, untilMs: number): Promise<void> {
  const client = new RawHttp2Client(port, BEGIN);
  client.send(frame(TYPE.SETTINGS, 1, 0));
  for (let round = 0; performance.now() < untilMs; round++) {
    client.send(repeated(50, (index) => request(id(round, index, 50), SHOP)));
    while (endedOn(client) < 50 && !client.isClosed) await later(1);
    client.frames.length = 0;
    client.send(frame(TYPE.WINDOW_UPDATE, 0, 0, u32(500_000)));
  }
  assert.ok(!client.isClosed);
  client.socket.destroy();
}

describe("an attack by HTTP/2", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;
  let port: number;
  let idleBytes = 0;

  before(async () => {
    mesh = await startMesh("", { listener: (_incoming, response) => void response.end("x".repeat(10_000)) });
    port = Number(new URL(mesh.edge).port);
    // Code is compiled, and the heap has the size that honest requests give it.
    const untilMs = performance.now() + WARM_UP_MS;
    await Promise.all(Array.from({ length: ATTACKERS }, () => honest(port, untilMs)));
    await later(500);
    idleBytes = memoryOf(mesh.program.pid);
  });
  after(() => mesh?.stop());

  for (const one of ATTACKS) {
    it(`of ${one.title} takes little memory, and leaves other clients alone`, async () => {
      const untilMs = performance.now() + ATTACK_MS;
      const { pid } = mesh.program;
      const beforeBytes = memoryOf(pid);
      let mostBytes = 0;
      const timer = setInterval(() => (mostBytes = Math.max(mostBytes, memoryOf(pid))), 20);
      try {
        const attackers = Array.from({ length: ATTACKERS }, () => attack(port, one, untilMs));
        const [p99Ms] = await Promise.all([measured(port, untilMs), ...attackers]);
        const growthBytes = mostBytes - beforeBytes;
        const figures = `${Math.round(growthBytes / 2 ** 20)} MiB, p99 ${p99Ms.toFixed(1)} ms`;
        if (process.env["HTTP2_ATTACK_FIGURES"] !== undefined)
          process.stdout.write(`${one.title}: ${figures}\n`);
        assert.ok(growthBytes <= MAX_GROWTH_BYTES, figures);
        assert.ok(mostBytes - idleBytes <= MAX_TOTAL_GROWTH_BYTES, figures);
        assert.ok(p99Ms <= MAX_P99_MS, figures);
      } finally {
        clearInterval(timer);
      }
    });
  }

  it("leaves a proxy that serves", async () => {
    assert.ok((await measured(port, performance.now() + 200)) < MAX_P99_MS);
    assert.doesNotMatch(mesh.program.errors(), /Error|Warning/);
  });
});
