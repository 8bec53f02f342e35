// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { cleanUp, later, until } from "../../../testing/harness.test.ts";
import { HeaderList } from "../../contract/header-list.ts";
import { get, post, RawClient, startServer } from "./server-rig.test.ts";

describe("the requests of an HTTP/1.1 connection", () => {
  afterEach(cleanUp);

  it("are answered in order, one at a time, when they are pipelined", async () => {
    const { port, streams } = await startServer(() => {});
    const client = new RawClient(port, get("/0") + post("/1", "hello") + get("/2"));
    for (const index of [0, 1, 2]) {
      await until(() => streams.length > index);
      await later(20);
      const seen = streams[index];
      assert.ok(seen !== undefined && streams.length === index + 1);
      seen.stream.read(seen);
      seen.reply(`<${index}>`);
    }
    await until(() => client.received.endsWith("<2>"));
    assert.deepEqual(client.received.match(/<\d>/g), ["<0>", "<1>", "<2>"]);
    assert.equal(streams[1]?.body, "hello");
  });

  it("are answered whatever way their bytes are cut", async () => {
    const { port } = await startServer((seen) => {
      seen.stream.read(seen);
      seen.whenEnded = () => seen.reply(`<${seen.body}>`);
      if (!seen.stream.head.hasBody) seen.reply("<>");
    });
    const chunked =
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n";
    const bytes = `\r\n${get("/a")}${post("/b", "one")}${chunked}${get("/c")}`;
    for (const size of [1, 2, 3, 7, 50]) {
      const client = new RawClient(port);
      for (let at = 0; at < bytes.length; at += size) {
        client.send(bytes.slice(at, at + size));
        if (at % 5 === 0) await later(0);
      }
      await until(() => client.statuses === "200,200,200,200");
      assert.deepEqual(client.received.match(/<[^>]*>/g), ["<>", "<one>", "<hi!>", "<>"], String(size));
    }
  });

  it("are answered when junk follows them, which is 400 and closes the connection", async () => {
    const { port, refusals } = await startServer((seen) => setTimeout(() => seen.reply("ok"), 20));
    for (const junk of ["BAD\r\n\r\n", "\0", "GET / HTTP/1.1\r\nhost : a\r\n\r\n"]) {
      const client = new RawClient(port, post("/", "abc") + junk);
      await until(() => client.ended);
      assert.equal(client.statuses, "200,400", JSON.stringify(junk));
    }
    assert.deepEqual(refusals, ["bad_request", "bad_request", "bad_request"]);
    const closing = new RawClient(port, get("/", "connection: close\r\n") + get("/2"));
    await until(() => closing.ended);
    assert.equal(closing.statuses, "200");
  });

  it("are not answered when the client ends its side first", async () => {
    const { port, streams } = await startServer(() => {});
    const client = new RawClient(port, get("/"));
    await until(() => streams.length === 1);
    client.socket.end();
    await until(() => streams[0]?.events.join() === "close: connection-termination");
  });

  it("without a body may be read, and end at once", async () => {
    const { port, streams } = await startServer((seen) => {
      seen.stream.read(seen);
      seen.reply("ok");
    });
    const client = new RawClient(port, get("/") + post("/", ""));
    await until(() => client.statuses === "200,200");
    for (const { events } of streams) assert.deepEqual(events, ["end", "close: whole"]);
  });

  it("wait in the kernel while the one before is paused, and their bodies with them", async () => {
    const { port, streams } = await startServer((seen) => {
      seen.stream.read(seen);
      seen.stream.pause();
    });
    const client = new RawClient(port, `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${8 << 20}\r\n\r\n`);
    client.send(Buffer.alloc(8 << 20, "x"));
    await until(() => streams.length === 1);
    await later(100);
    const pausedBytes = streams[0]?.bytes ?? 0;
    assert.ok(pausedBytes <= 256 * 1024, `${pausedBytes} bytes were read`);
    streams[0]?.stream.resume();
    await until(() => streams[0]?.bytes === 8 << 20);
    streams[0]?.reply("ok");
    await until(() => client.statuses === "200");
  });

  it("have their trailers", async () => {
    const { port, streams } = await startServer((seen) => seen.stream.read(seen));
    new RawClient(
      port,
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    await until(() => streams[0]?.events.length === 1);
    assert.equal(streams[0]?.trailers?.get("x-sum"), "1");
  });

  it("are 400 when their chunks are malformed, before and after the response", async () => {
    const { port, streams } = await startServer((seen) => {
      if (seen.stream.head.target === "/early") return seen.reply("early");
      seen.stream.read(seen);
    });
    const head = (target: string): string =>
      `POST ${target} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`;
    const client = new RawClient(port, `${head("/")}1\r\nx\r\nnonsense\r\n`);
    await until(() => client.ended);
    assert.match(client.received, /^HTTP\/1\.1 400 [^]*connection: close/);
    assert.match(streams[0]?.events.join() ?? "", /^malformed: .*close: whole$/);
    const early = new RawClient(port, `${head("/early")}nonsense\r\n`);
    await until(() => early.ended);
    assert.equal(early.statuses, "200");
  });

  it("with HTTP/1.0 keep the connection only when they ask, and get no chunks and no 1xx", async () => {
    const { port } = await startServer((seen) => {
      seen.stream.sendInformational({ status: 103, headers: new HeaderList(["link", "</a>"]) });
      if (seen.stream.head.target === "/length") return seen.reply("ok");
      seen.head(200);
      seen.stream.write(Buffer.from("until close"));
      seen.stream.end(new HeaderList(["x-sum", "1"]));
    });
    const plain = new RawClient(port, "GET /length HTTP/1.0\r\n\r\n");
    await until(() => plain.ended);
    assert.match(plain.received, /^HTTP\/1\.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok$/);
    const kept = new RawClient(port, "GET /length HTTP/1.0\r\nconnection: keep-alive\r\n\r\n".repeat(2));
    await until(() => kept.statuses === "200,200");
    assert.match(kept.received, /connection: keep-alive\r\n/);
    const unknown = new RawClient(port, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    await until(() => unknown.ended);
    assert.match(unknown.received, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n\r\nuntil close$/);
  });

  it("by CONNECT reach the handler, and end the connection", async () => {
    const { port } = await startServer((seen) => seen.reply(seen.stream.head.method, 405));
    const client = new RawClient(port, `CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n${get("/inner")}`);
    await until(() => client.ended);
    assert.equal(client.statuses, "405");
    assert.match(client.received, /CONNECT$/);
  });
});

describe("100 Continue", () => {
  afterEach(cleanUp);

  const HEAD = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";

  it("is sent only when the handler sends it, and the connection goes on", async () => {
    const { port, streams } = await startServer((seen) => seen.stream.read(seen));
    const client = new RawClient(port, HEAD);
    await until(() => streams.length === 1);
    await later(20);
    assert.equal(client.received, "");
    streams[0]?.stream.sendInformational({ status: 100, headers: new HeaderList() });
    await until(() => client.received === "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    await until(() => streams[0]?.body === "hello");
    streams[0]?.reply("ok");
    await until(() => client.statuses === "100,200");
    assert.doesNotMatch(client.received, /connection: close/);
  });

  it("that never came closes the connection, unless the body came without it", async () => {
    const { port } = await startServer((seen) => {
      if (seen.stream.head.method === "PUT") seen.stream.read({ onData() {}, onEnd: () => seen.reply("ok") });
      else seen.reply("no", 403);
    });
    const refused = new RawClient(port, HEAD);
    await until(() => refused.ended);
    assert.match(refused.received, /^HTTP\/1\.1 403 [^]*connection: close/);
    const eager = new RawClient(port, `${HEAD.replace("POST", "PUT")}hello${get("/")}`);
    await until(() => eager.statuses === "200,403");
    assert.doesNotMatch(eager.received, /connection: close/);
  });
});
