// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { DEFAULT_LISTENER_LIMITS } from "../../../../core/traffic/listener-limits.ts";
import { cleanUp, later, until } from "../../../testing/harness.test.ts";
import { get, post, RawClient, type ServerRig, startServer } from "./server-rig.test.ts";

/** Waits until the connection ends, and returns how long that took. */
async function endOf(client: RawClient): Promise<number> {
  const start = performance.now();
  await until(() => client.ended || client.closed);
  return performance.now() - start;
}

describe("the time limits of an HTTP/1.1 server", () => {
  afterEach(cleanUp);

  it("end a head that comes too slowly with 408, also after earlier requests", async () => {
    const { port, refusals } = await startServer(undefined, { headersTimeoutMs: 200 });
    for (const before of ["", get("/")]) {
      const client = new RawClient(port, before);
      const slow = get("/slow");
      let at = 0;
      const timer = setInterval(() => client.send(slow[at++ % 20] ?? ""), 20);
      const tookMs = await endOf(client);
      clearInterval(timer);
      assert.ok(tookMs > 190, `${tookMs} ms`);
      assert.match(client.statuses, before === "" ? /^408$/ : /^200,408$/);
    }
    assert.deepEqual(refusals, ["request_timeout", "request_timeout"]);
  });

  it("end a connection without a first byte, or without a further request, silently", async () => {
    const { port } = await startServer(undefined, { headersTimeoutMs: 200, connectionIdleMs: 300 });
    const silent = new RawClient(port);
    const idle = new RawClient(port, get("/"));
    assert.ok((await endOf(silent)) > 190);
    assert.equal(silent.received, "");
    await endOf(idle);
    assert.equal(idle.statuses, "200");
  });

  it("count the time without a request from the end of the response, however long that took", async () => {
    const { port } = await startServer((seen) => void setTimeout(() => seen.reply("late"), 400), {
      connectionIdleMs: 200,
    });
    const client = new RawClient(port, get("/"));
    await until(() => client.received.endsWith("late"));
    const tookMs = await endOf(client);
    assert.ok(tookMs > 190, `${tookMs} ms`);
  });

  it("do not end a connection that is used more often", async () => {
    const { port } = await startServer(undefined, { headersTimeoutMs: 100, connectionIdleMs: 150 });
    const client = new RawClient(port, get("/"));
    for (let count = 0; count < 6; count++) {
      await later(80);
      client.send(get("/"));
    }
    await until(() => client.statuses.split(",").length === 7);
  });

  it("tell of a stream on which nothing moves: a stalled body, and a response that does not come", async () => {
    const { port, streams } = await startServer((seen) => seen.stream.read(seen), { streamIdleMs: 200 });
    const stalled = new RawClient(port, post("/", "hello").slice(0, -1));
    const waiting = new RawClient(port, post("/", "hello"));
    await Promise.all([endOf(stalled), endOf(waiting)]);
    for (const { events } of streams) {
      assert.deepEqual(
        events.filter((event) => event !== "end"),
        ["idle", "close: local-reset"],
      );
    }
  });

  it("do not tell of a stream that moves slowly in either direction", async () => {
    const { port, streams } = await startServer((seen) => seen.stream.read(seen), { streamIdleMs: 200 });
    const client = new RawClient(port, post("/", "0123456789").slice(0, -10));
    for (let count = 0; count < 10; count++) {
      await later(60);
      client.send("x");
    }
    streams[0]?.head(200);
    for (let count = 0; count < 10; count++) {
      await later(60);
      streams[0]?.stream.write(Buffer.from("y"));
    }
    streams[0]?.stream.end();
    await until(() => client.received.endsWith("0\r\n\r\n"));
    assert.deepEqual(streams[0]?.events, ["end", "close: whole"]);
  });

  /** A client that does not read a response of 64 MiB, which is more than the kernel's buffers take. */
  async function notReading(rig: ServerRig): Promise<RawClient> {
    const client = new RawClient(rig.port);
    client.socket.pause();
    client.send(get("/"));
    await until(() => rig.streams.length === 1);
    return client;
  }

  it("end a response whose bytes the client does not take", async () => {
    const large = Buffer.alloc(64 << 20);
    const whole = await startServer(
      (seen) => {
        seen.head(200, ["content-length", String(large.byteLength)]);
        assert.equal(seen.stream.write(large), false);
        seen.stream.end();
      },
      { streamIdleMs: 200 },
    );
    await notReading(whole);
    await until(() => whole.streams[0]?.events.join() === "idle,close: local-reset");
    const trickling = await startServer(
      (seen) => {
        seen.head(200);
        seen.stream.write(large);
        const timer = setInterval(() => seen.stream.write(Buffer.from("more")), 20);
        seen.whenClosed = () => clearInterval(timer);
      },
      { streamIdleMs: 200 },
    );
    await notReading(trickling);
    await until(() => trickling.streams[0]?.events.join() === "idle,close: local-reset");
  });

  it("limit the time of a whole request, when a limit is set", async () => {
    const { port, streams } = await startServer((seen) => seen.stream.read(seen), { requestTimeoutMs: 200 });
    const client = new RawClient(port, post("/", "x".repeat(1000)).slice(0, -1000));
    const timer = setInterval(() => client.send("x"), 20);
    await endOf(client);
    clearInterval(timer);
    assert.deepEqual(streams[0]?.events, ["idle", "close: local-reset"]);
  });
});

describe("new limits of a running HTTP/1.1 server", () => {
  afterEach(cleanUp);

  const LIMITS = { ...DEFAULT_LISTENER_LIMITS, headersTimeoutMs: 10_000 };

  it("count connections that are open already, close none, and refuse further ones", async () => {
    const { server, port, events } = await startServer(undefined, LIMITS);
    const clients = [new RawClient(port, get("/")), new RawClient(port, get("/"))];
    await until(() => clients.every(({ statuses }) => statuses === "200"));
    server.setLimits({ ...LIMITS, maxConnections: 1 });
    await endOf(new RawClient(port));
    assert.deepEqual(events, ["overflow"]);
    for (const client of clients) client.send(get("/again"));
    await until(() => clients.every(({ statuses }) => statuses === "200,200"));
    server.setLimits({ ...LIMITS, maxConnections: 3 });
    const third = new RawClient(port, get("/"));
    await until(() => third.statuses === "200");
  });

  it("apply a smaller head limit from the next connection on, and a larger one too", async () => {
    const { server, port, refusals } = await startServer(undefined, LIMITS);
    const large = get("/", `x-large: ${"a".repeat(3_000)}\r\n`);
    const open = new RawClient(port, get("/"));
    await until(() => open.statuses === "200");
    server.setLimits({ ...LIMITS, maxHeaderBytes: 2_000 });
    open.send(large);
    await until(() => open.statuses === "200,200");
    const next = new RawClient(port, large);
    await until(() => next.statuses === "431");
    server.setLimits({ ...LIMITS, maxHeaderBytes: 4_000 });
    const last = new RawClient(port, large);
    await until(() => last.statuses === "200");
    assert.deepEqual(refusals, ["request_headers_too_large"]);
  });

  it("apply shorter times to connections that are open, and never end one earlier than they say", async () => {
    const { server, port } = await startServer(undefined, LIMITS);
    const idle = new RawClient(port, get("/"));
    await until(() => idle.statuses === "200");
    server.setLimits({ ...LIMITS, connectionIdleMs: 200 });
    const start = performance.now();
    await endOf(idle);
    const tookMs = performance.now() - start;
    assert.ok(tookMs > 190, `${tookMs} ms`);
  });

  it("keep what a connection has waited already when the length of a sweep changes", async () => {
    const short = { ...LIMITS, headersTimeoutMs: 40, connectionIdleMs: 600 };
    const { server, port } = await startServer(undefined, short);
    const idle = new RawClient(port, get("/"));
    await until(() => idle.statuses === "200");
    await later(200);
    const start = performance.now();
    // Sweeps of 10 ms become sweeps of 100 ms: 20 of the old ones are 2 of the new ones.
    server.setLimits({ ...short, headersTimeoutMs: 400 });
    await endOf(idle);
    const tookMs = performance.now() - start;
    assert.ok(tookMs > 390, `${tookMs} ms`);
  });

  it("change nothing once the server closes, and start no sweeps again", async () => {
    const { server } = await startServer(undefined, LIMITS);
    await server.close(1_000);
    server.setLimits({ ...LIMITS, headersTimeoutMs: 40 });
    const { tick } = server;
    await later(60);
    assert.equal(server.tick, tick);
  });
});
