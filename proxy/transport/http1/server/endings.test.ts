// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { cleanUp, later, onCleanup, until } from "../../../testing/harness.test.ts";
import { get, post, RawClient, startServer } from "./server-rig.test.ts";

describe("the end of an HTTP/1.1 connection", () => {
  afterEach(cleanUp);

  it("does not lose a reply although the client is still sending", async () => {
    const { port, streams } = await startServer((seen) => {
      seen.stream.closeConnectionAfter();
      seen.reply("no", 403);
    });
    const client = new RawClient(port, `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${8 << 20}\r\n\r\n`);
    client.socket.pause();
    client.send(Buffer.alloc(8 << 20));
    await later(100);
    client.socket.resume();
    await until(() => client.ended);
    assert.match(client.received, /^HTTP\/1\.1 403 [^]*no$/);
    assert.equal(client.error, undefined);
    assert.deepEqual(streams[0]?.events, ["close: whole"]);
  });

  it("comes a second after the last response when the client leaves its side open", async () => {
    const { port } = await startServer();
    const client = new RawClient(port, get("/", "connection: close\r\n"));
    await until(() => client.ended);
    await later(500);
    assert.equal(client.closed, false);
    client.send("x");
    const start = performance.now();
    while (client.error === undefined && performance.now() - start < 3_000) {
      await later(100);
      client.send("x");
    }
    assert.match(client.error ?? "", /^(ECONNRESET|EPIPE)$/);
  });

  it("does not come when a small rest of a request is discarded after its response", async () => {
    const { port } = await startServer();
    const client = new RawClient(port, post("/", "x".repeat(60_000)) + get("/next"));
    await until(() => client.statuses === "200,200");
    const chunked = `2000\r\n${"x".repeat(0x2000)}\r\n`.repeat(5);
    client.send(`POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunked}0\r\n\r\n`);
    client.send(get("/last"));
    await until(() => client.received.endsWith("</last>"));
  });

  it("comes when the rest is larger than 64 KiB, or does not come within a second", async () => {
    const { port } = await startServer();
    const declared = new RawClient(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\n\r\n");
    await until(() => declared.ended);
    assert.match(declared.received, /connection: close/);
    const chunked = new RawClient(port, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    await until(() => chunked.statuses === "200");
    chunked.send(`20000\r\n${"x".repeat(0x20000)}`);
    await until(() => chunked.ended);
    const slow = new RawClient(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
    await until(() => slow.statuses === "200");
    await later(2_000);
    assert.equal(slow.ended, true);
  });

  it("tells a cut response apart from a whole one, also where only the end delimits it", async () => {
    const { port, streams } = await startServer((seen) => {
      seen.head(200);
      seen.stream.write(Buffer.from("half"));
      setTimeout(() => seen.stream.reset(), 20);
    });
    const old = new RawClient(port, "GET / HTTP/1.0\r\n\r\n");
    await until(() => old.closed);
    assert.equal(old.error, "ECONNRESET");
    const chunked = new RawClient(port, get("/"));
    await until(() => chunked.ended || chunked.closed);
    assert.doesNotMatch(chunked.received, /\r\n0\r\n/);
    await until(() => streams.every(({ events }) => events.join() === "close: local-reset"));
  });

  it("comes when a response's body is not as long as it says", async () => {
    for (const text of ["short", "much too long"]) {
      const { port } = await startServer((seen) => {
        seen.head(200, ["content-length", "8"]);
        seen.stream.write(Buffer.from(text));
        seen.stream.end();
      });
      const client = new RawClient(port, get("/1") + get("/2"));
      await until(() => client.ended || client.closed);
      assert.ok(client.statuses === "200" || client.statuses === "", text);
    }
  });

  it("comes at once beyond the maximal number of connections, and is counted", async () => {
    const { port, events } = await startServer(undefined, { maxConnections: 2 });
    const kept = [new RawClient(port, get("/")), new RawClient(port, get("/"))];
    await until(() => kept.every(({ statuses }) => statuses === "200"));
    const refused = new RawClient(port, get("/"));
    await until(() => refused.closed || refused.ended);
    assert.equal(refused.received, "");
    assert.deepEqual(events, ["overflow"]);
    kept[0]?.socket.destroy();
    await later(50);
    const next = new RawClient(port, get("/"));
    await until(() => next.statuses === "200");
  });
});

describe("the drain of an HTTP/1.1 server", () => {
  afterEach(cleanUp);

  it("answers requests that are just arriving, then ends idle connections without a reset", async () => {
    const rig = await startServer(undefined, { drainGraceMs: 300 });
    const used = new RawClient(rig.port, get("/1"));
    const unused = new RawClient(rig.port);
    const busy = new RawClient(rig.port, get("/1"));
    const partial = new RawClient(rig.port, get("/1"));
    await until(() => [used, busy, partial].every(({ statuses }) => statuses === "200"));
    partial.send("GET /2 HTT");
    await later(20);
    const closed = rig.server.close(10_000);
    await later(100);
    busy.send(get("/2"));
    await until(() => busy.ended);
    assert.match(busy.received, /<\/1>[^]*connection: close[^]*<\/2>$/);
    await until(() => used.ended && unused.ended);
    await later(100);
    partial.send("P/1.1\r\nhost: a\r\n\r\n");
    await until(() => partial.ended);
    assert.match(partial.received, /connection: close[^]*<\/2>$/);
    for (const { socket } of [used, unused, busy, partial]) socket.end();
    await closed;
    assert.deepEqual(rig.events, ["drain_close", "drain_close"]);
    assert.deepEqual(
      [used, unused, busy, partial].map(({ error }) => error),
      Array(4).fill(undefined),
    );
  });

  it("leaves idle connections half of its time at most", async () => {
    const rig = await startServer();
    const client = new RawClient(rig.port);
    await later(20);
    const start = performance.now();
    const closed = rig.server.close(600);
    await until(() => client.ended);
    client.socket.end();
    await closed;
    assert.ok(performance.now() - start < 600);
  });

  it("waits for requests under way, whose responses close the connection although they had promised not to", async () => {
    const rig = await startServer((seen) => seen.head(200), { drainGraceMs: 100 });
    const client = new RawClient(rig.port, get("/"));
    await until(() => client.statuses === "200");
    assert.doesNotMatch(client.received, /connection: close/);
    let isClosed = false;
    const closed = rig.server.close(10_000).then(() => (isClosed = true));
    await later(300);
    assert.equal(isClosed, false);
    rig.streams[0]?.stream.end();
    await until(() => client.ended);
    client.socket.end();
    await closed;
    assert.deepEqual(rig.streams[0]?.events, ["close: whole"]);
  });

  it("is over at once when it is cut, and every stream is closed", async () => {
    const rig = await startServer(() => {});
    const clients = Array.from({ length: 5 }, () => new RawClient(rig.port, get("/")));
    await until(() => rig.streams.length === 5);
    const closed = rig.server.close(10_000);
    rig.server.cut();
    await closed;
    for (const { events } of rig.streams) assert.deepEqual(events, ["close: local-reset"]);
    onCleanup(() => {
      for (const { socket } of clients) socket.destroy();
    });
  });
});
