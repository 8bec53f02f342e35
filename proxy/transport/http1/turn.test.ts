// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import fc from "fast-check";

import {
  ALLOW,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  later,
  routeOf,
  startProxy,
  tcpUpstream,
} from "../../testing/harness.test.ts";
import { RawClient } from "./server/server-rig.test.ts";
import { finishInTurn, flushInTurn, readRequestInTurn, readResponseInTurn } from "./turn.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the stages of a turn", () => {
  let done: string[] = [];
  beforeEach(() => (done = []));

  /** Lists one piece of work at each stage, the last stage first. */
  function list(name: string, act: (stage: string) => void = () => {}): void {
    const record = (stage: string) => () => {
      done.push(`${name} ${stage}`);
      act(stage);
    };
    finishInTurn({ finishWritten: record("finish") });
    flushInTurn({ flush: record("flush") });
    readRequestInTurn({ readArrived: record("request") });
    readResponseInTurn({ readArrived: record("response") });
  }

  it("run one after the other, each for all connections in the order of arrival", async () => {
    list("a");
    list("b");
    await turn();
    const order = ["response", "request", "flush", "finish"].flatMap((stage) => [`a ${stage}`, `b ${stage}`]);
    assert.deepEqual(done, order);
  });

  it("leave work that they begin themselves to the next turn when its stage is over", async () => {
    list("a", (stage) => {
      if (stage === "response") flushInTurn({ flush: () => void done.push("flush of the same turn") });
      if (stage === "finish") list("b");
    });
    await turn();
    assert.deepEqual(done.slice(-2), ["flush of the same turn", "a finish"]);
    await turn();
    assert.equal(done.at(-1), "b finish");
  });

  for (const failing of ["response", "request", "flush", "finish"])
    it(`serve all other connections after an error of one ${failing}, which reaches the process`, async () => {
      const errors = await uncaughtDuring(async () => {
        list("before");
        list("failing", (stage) => {
          if (stage === failing) throw new Error(stage);
        });
        list("behind");
        list("last");
        await turn();
        list("later");
        await turn();
        await turn();
      });
      assert.deepEqual(errors, [failing]);
      for (const name of ["before", "failing", "behind", "last", "later"]) {
        const stages = done.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(" ")[1]);
        assert.deepEqual(stages, ["response", "request", "flush", "finish"], name);
      }
      const order = done.filter((line) => line.endsWith(failing)).map((line) => line.split(" ")[0]);
      assert.deepEqual(order, ["before", "failing", "behind", "last", "later"]);
    });
});

/** The messages of the errors that nothing caught meanwhile. */
async function uncaughtDuring(act: () => Promise<void>): Promise<string[]> {
  const messages: string[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", ({ message }) => void messages.push(message));
  try {
    await act();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  return messages;
}

/** The ways in which a request is answered. */
const KINDS = ["whole", "pieces", "chunked", "stray", "reset", "local"] as const;

interface Drawn {
  readonly kind: (typeof KINDS)[number];
  readonly responseBytes: number;
  readonly requestBytes: number;
  /** Turns after which the upstream answers. */
  readonly answerTurns: number;
  /** Turns after which the policy is decided; 0 for at once. */
  readonly policyTurns: number;
}

/** Sends so many of a client's bytes, and lets a turn pass or does not. */
interface Step {
  readonly client: number;
  readonly bytes: number;
  readonly passesTurn: boolean;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom(...KINDS),
  responseBytes: fc.constantFrom(0, 3, 3_000, 20_000, 100_000),
  requestBytes: fc.constantFrom(0, 0, 3, 3_000, 20_000, 100_000),
  answerTurns: fc.nat(2),
  policyTurns: fc.nat(2),
});

const step: fc.Arbitrary<Step> = fc.record({
  client: fc.nat(2),
  bytes: fc.constantFrom(1, 20, 300, 10_000, 17_000, 200_000),
  passesTurn: fc.boolean(),
});

describe("the turns of a proxy", () => {
  afterEach(cleanUp);

  it("answer each client's requests with their own responses in their order, however bytes arrive", async function () {
    this.timeout(120_000);
    const faults: string[] = [];
    const upstream = await tcpUpstream((socket) => answerRequests(socket, faults));
    // Few connections, so that requests wait for those that responses leave.
    const cluster = clusterOf([endpointAt(upstream.port)], { maxConnectionsPerEndpoint: 2 });
    const local = routeOf(
      { kind: "direct", status: 200, body: "local", contentType: "text/plain" },
      {
        name: "local",
        matches: [
          {
            path: { kind: "prefix", value: "/local/" },
            ignoreCase: false,
            headers: {},
            withoutHeaders: {},
            queryParams: {},
          },
        ],
      },
    );
    const routes = [local, routeOf(forwardTo(cluster.name))];
    const { port, policy } = await startProxy(configOf({ clusters: [cluster], routes }));
    let nextId = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(drawn, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.option(fc.nat(20)),
        async (plans, steps, cutAtStep) => {
          const policyTurns = plans.flat().map((request) => request.policyTurns);
          let decided = 0;
          policy.decide = () => {
            const turns = policyTurns[decided++ % policyTurns.length] ?? 0;
            return turns === 0 ? ALLOW : turnsLater(turns).then(() => ALLOW);
          };
          const clients = plans.map((requests) => {
            const sent = requests.map((request) => messageOf(request, nextId++));
            return {
              raw: new RawClient(port),
              left: Buffer.from(sent.map(({ text }) => text).join(""), "latin1"),
              answers: sent.map(({ answer }) => answer),
              isCut: false,
            };
          });
          for (let index = 0; clients.some(({ left }) => left.length > 0); index++) {
            const { client, bytes, passesTurn } = steps[index % steps.length] as Step;
            // Beyond the steps, all that is left is sent: no run depends on a draw that serves every client.
            const at = index < steps.length ? client : index;
            const one = clients[at % clients.length] as (typeof clients)[number];
            const size = index < steps.length ? bytes : one.left.length;
            if (size > 0 && one.left.length > 0) one.raw.send(one.left.subarray(0, size));
            one.left = one.left.subarray(size);
            if (index === cutAtStep) {
              one.raw.socket.resetAndDestroy();
              one.left = one.left.subarray(one.left.length);
              one.isCut = true;
            }
            if (passesTurn) await turn();
          }
          const end = performance.now() + 10_000;
          const isAnswered = (one: (typeof clients)[number]): boolean =>
            one.isCut || decode(one.raw.received).length >= one.answers.length;
          while (!clients.every(isAnswered) && performance.now() < end) await later(2);
          for (const { raw, answers, isCut } of clients) {
            const got = decode(raw.received);
            assert.deepEqual(got.map(shorten), (isCut ? answers.slice(0, got.length) : answers).map(shorten));
            raw.socket.destroy();
          }
          assert.deepEqual(faults.splice(0), []);
        },
      ),
      { numRuns: 150, endOnFailure: true },
    );
  });
});

async function turnsLater(turns: number): Promise<void> {
  for (let count = 0; count < turns; count++) await turn();
}

function messageOf(request: Drawn, id: number): { readonly text: string; readonly answer: string } {
  const { kind, answerTurns } = request;
  // A longer body that is not read closes the connection.
  const requestBytes = kind === "local" ? Math.min(request.requestBytes, 20_000) : request.requestBytes;
  // The end of a connection is known together with its response only if one read brings both.
  const responseBytes = kind === "reset" ? Math.min(request.responseBytes, 3_000) : request.responseBytes;
  const target = `/${kind}/${id}/${responseBytes}/${answerTurns}`;
  const length = requestBytes === 0 ? "" : `content-length: ${requestBytes}\r\n`;
  const method = requestBytes === 0 ? "GET" : "POST";
  return {
    text: `${method} ${target} HTTP/1.1\r\nhost: a\r\n${length}\r\n${"b".repeat(requestBytes)}`,
    answer: kind === "local" ? "local" : bodyOf(target, requestBytes),
  };
}

const bodyOf = (target: string, requestBytes: number): string =>
  `${target} ${requestBytes} ${"x".repeat(Number(target.split("/")[3]))}`;

/** An upstream connection that answers each request as its target says. */
function answerRequests(socket: Socket, faults: string[]): void {
  let received = "";
  let isAnswering = false;
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    if (isAnswering) faults.push("bytes of a request before the last one was answered");
    received += chunk.toString("latin1");
    const headEnd = received.indexOf("\r\n\r\n") + 4;
    if (headEnd < 4) return;
    const requestBytes = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (received.length < headEnd + requestBytes) return;
    if (received.slice(headEnd) !== "b".repeat(requestBytes)) faults.push("another body");
    const target = received.split(" ")[1] ?? "";
    received = "";
    isAnswering = true;
    const turns = Number(target.split("/")[4]);
    void turnsLater(turns).then(() =>
      answer(socket, target, bodyOf(target, requestBytes), () => (isAnswering = false)),
    );
  });
}

async function answer(socket: Socket, target: string, body: string, onLast: () => void): Promise<void> {
  const kind = target.split("/")[1];
  const whole = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  switch (kind) {
    case "pieces":
      for (const byte of whole.slice(0, 3)) {
        socket.write(byte);
        await turn();
      }
      socket.write(whole.slice(3, -1), "latin1");
      await turn();
      onLast();
      socket.write(whole.slice(-1), "latin1");
      break;
    case "chunked": {
      const half = Math.ceil(body.length / 2);
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      for (const part of [body.slice(0, half), body.slice(half)]) {
        socket.write(`${part.length.toString(16)}\r\n${part}\r\n`, "latin1");
        await turn();
      }
      onLast();
      socket.write("0\r\n\r\n");
      break;
    }
    case "stray":
      onLast();
      socket.write(whole, "latin1");
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray");
      break;
    default:
      onLast();
      socket.write(whole, "latin1");
      if (kind === "reset") socket.resetAndDestroy();
  }
}

/** The bodies of the whole responses in a client's bytes; for a status other than 200, the status. */
function decode(received: string): string[] {
  const bodies: string[] = [];
  let at = 0;
  for (;;) {
    const headEnd = received.indexOf("\r\n\r\n", at) + 4;
    if (headEnd < 4) return bodies;
    const head = received.slice(at, headEnd);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    let body = "";
    at = headEnd;
    if (length !== undefined) {
      body = received.slice(at, at + Number(length));
      if (body.length < Number(length)) return bodies;
      at += body.length;
    } else {
      for (let size = -1; size !== 0; ) {
        const lineEnd = received.indexOf("\r\n", at) + 2;
        size = Number.parseInt(received.slice(at, lineEnd), 16);
        if (lineEnd < 2 || received.length < lineEnd + size + 2) return bodies;
        body += received.slice(lineEnd, lineEnd + size);
        at = lineEnd + size + 2;
      }
    }
    bodies.push(head.startsWith("HTTP/1.1 200 ") ? body : head.slice(9, 12));
  }
}

const shorten = (body: string): string => `${body.slice(0, 60)} (${body.length} bytes)`;
