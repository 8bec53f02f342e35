// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import {
  cleanUp,
  clock,
  deadPort,
  later,
  onCleanup,
  scheduler,
  tcpUpstream,
  until,
  NO_CREDENTIALS,
} from "../../../testing/harness.test.ts";
import type { ClientSettings, ClientStream, ClientStreamReceiver } from "../../contract/client.ts";
import type { RequestHead, ResponseHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import type { StreamReset } from "../../contract/reset.ts";
import { Http1Client } from "./http1-client.ts";

/** Records the calls of a stream. */
class Recorder implements ClientStreamReceiver {
  readonly calls: string[] = [];
  head: ResponseHead | undefined;
  body = "";
  bytes = 0;
  trailers: HeaderList | undefined;
  resetWith: StreamReset | undefined;
  isEnded = false;
  onChunk: (() => void) | undefined;
  onHeadHook: (() => void) | undefined;
  onWritableHook: (() => void) | undefined;

  onInformational(head: ResponseHead): void {
    this.#record(`informational ${head.status}`);
  }
  onHead(head: ResponseHead): void {
    this.#record(`head ${head.status}`);
    this.head = head;
    this.onHeadHook?.();
  }
  onData(chunk: Uint8Array): void {
    if (this.calls.at(-1) !== "data") this.#record("data");
    this.bytes += chunk.byteLength;
    if (this.bytes < 100_000) this.body += Buffer.from(chunk).toString("latin1");
    this.onChunk?.();
  }
  onEnd(trailers: HeaderList | undefined): void {
    this.#record("end");
    this.trailers = trailers;
    this.isEnded = true;
  }
  onWritable(): void {
    this.onWritableHook?.();
  }
  onReset(reset: StreamReset): void {
    this.#record(`reset ${reset.reason}`);
    this.resetWith = reset;
  }
  async over(): Promise<this> {
    await until(() => this.isEnded || this.resetWith !== undefined);
    return this;
  }
  #record(call: string): void {
    assert.equal(this.resetWith, undefined, `${call} after the reset`);
    this.calls.push(call);
  }
}

function clientTo(port: number, settings: Partial<ClientSettings> = {}): Http1Client {
  const client = new Http1Client({
    host: "127.0.0.1",
    port,
    protocol: "http1",
    maxConcurrentStreams: 100,
    tls: undefined,
    credentials: NO_CREDENTIALS,
    connectTimeoutMs: 1_000,
    maxConnections: 4,
    maxPendingRequests: 100,
    maxRequestsPerConnection: 0,
    maxConnectionDurationMs: 0,
    idleTimeoutMs: 60_000,
    tcpKeepaliveTimeMs: 0,
    maxHeaderBytes: 60 * 1024,
    clock,
    scheduler,
    ...settings,
  });
  onCleanup(() => client.destroy());
  return client;
}

function headOf(more: Partial<RequestHead> = {}): RequestHead {
  return {
    method: "GET",
    target: "/",
    headers: new HeaderList(["host", "a"]),
    httpVersion: "1.1",
    hasBody: false,
    contentLength: undefined,
    upgrade: undefined,
    ...more,
  };
}

function open(
  client: Http1Client,
  head: Partial<RequestHead> = {},
  body?: Uint8Array,
): { readonly stream: ClientStream; readonly got: Recorder } {
  const got = new Recorder();
  const stream = client.open(headOf(head), got, body);
  assert.deepEqual(got.calls, [], "no call before open returns");
  return { stream, got };
}

const POST = { method: "POST", hasBody: true } as const;
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** An upstream that answers each read with the given bytes. */
function answering(text: string): Promise<{ port: number }> {
  return tcpUpstream((socket) => socket.on("data", () => socket.write(text)));
}

/** An upstream with the sockets that it accepted and the text that each received. */
async function watched(
  onData: (socket: Socket, index: number, text: string) => void = () => {},
): Promise<{ port: number; sockets: Socket[]; texts: string[] }> {
  const sockets: Socket[] = [];
  const texts: string[] = [];
  const { port } = await tcpUpstream((socket, index) => {
    sockets.push(socket);
    texts[index] = "";
    socket.on("data", (chunk) => {
      texts[index] += chunk.toString("latin1");
      onData(socket, index, chunk.toString("latin1"));
    });
  });
  return { port, sockets, texts };
}

describe("the HTTP/1.1 client: responses", () => {
  afterEach(cleanUp);

  const RESPONSES: readonly (readonly [name: string, method: string, bytes: string, body: string])[] = [
    ["a content-length", "GET", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"],
    ["a content-length of 0", "GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""],
    [
      "chunks",
      "GET",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      "hello",
    ],
    ["no body for HEAD", "HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", ""],
    ["a 204 with a content-length", "GET", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", ""],
    ["a 304 with a content-length", "GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", ""],
  ];
  for (const [name, method, bytes, body] of RESPONSES)
    it(`reads ${name} and keeps the connection, however the bytes are cut`, async () => {
      const upstream = await watched((socket, _index, text) => {
        if (text.includes("/whole")) socket.write(bytes);
        else
          void (async () => {
            for (const byte of bytes) {
              socket.write(byte);
              await later(0);
            }
          })();
      });
      const client = clientTo(upstream.port);
      for (const target of ["/whole", "/cut", "/whole"]) {
        const { got } = open(client, { method, target });
        await got.over();
        assert.equal(got.body, body);
        assert.deepEqual(got.calls.at(-1), "end");
      }
      assert.equal(upstream.sockets.length, 1);
    });

  it("delivers a small response as head, data and end from one read", async () => {
    const { port } = await answering(OK);
    const { got } = open(clientTo(port));
    let callsAtHead = -1;
    got.onHeadHook = () => queueMicrotask(() => (callsAtHead = got.calls.length));
    await got.over();
    assert.deepEqual(got.calls, ["head 200", "data", "end"]);
    assert.equal(callsAtHead, 3);
  });

  it("reads a body that ends with the connection", async () => {
    const { port } = await tcpUpstream((socket) =>
      socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nhello")),
    );
    const { got } = open(clientTo(port));
    await got.over();
    assert.deepEqual([got.body, got.isEnded], ["hello", true]);
  });

  it("passes trailers on", async () => {
    const { port } = await answering(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\ngrpc-status: 0\r\n\r\n",
    );
    const { got } = open(clientTo(port));
    await got.over();
    assert.equal(got.trailers?.get("grpc-status"), "0");
  });

  it("passes informational responses on: 103, and a 100 that nobody asked for", async () => {
    const { port } = await answering(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`,
    );
    const { got } = open(clientTo(port));
    await got.over();
    assert.deepEqual(got.calls, ["informational 100", "informational 103", "head 200", "data", "end"]);
  });

  for (const [name, bytes] of [
    ["another protocol", "SSH-2.0-x\r\n\r\n"],
    [
      "a 101 that was not asked for",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
    ["two content-lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["a head that is too large", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}\r\n\r\n`],
    ["informational responses without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(101)],
    ["a bad chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"],
  ] as const)
    it(`resets with a protocol error after ${name}`, async () => {
      const upstream = await watched((socket) => socket.write(bytes));
      const client = clientTo(upstream.port);
      const { got } = open(client);
      await got.over();
      assert.equal(got.resetWith?.reason, "protocol-error");
      assert.equal(client.stats.connected, 0);
    });

  for (const [name, bytes] of [
    ["within its head", "HTTP/1.1 200 OK\r\ncontent-le"],
    ["within its body", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"],
    ["within its chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ] as const)
    for (const way of ["end", "resetAndDestroy"] as const)
      it(`resets when a response ends ${name} (${way})`, async () => {
        const upstream = await watched((socket, _index, text) => {
          if (text.includes("/ok")) return void socket.write(OK);
          socket.write(bytes);
          setTimeout(() => socket[way](), 20);
        });
        const client = clientTo(upstream.port);
        await open(client, { target: "/ok" }).got.over();
        const { got } = open(client);
        await got.over();
        const { reason, connectionReused } = got.resetWith as StreamReset;
        assert.deepEqual([reason, connectionReused], ["connection-termination", false]);
      });

  it("stops to read while the response is paused, and goes on", async () => {
    let written = 0;
    const upstream = await watched((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 16000000\r\n\r\n");
      const chunk = Buffer.alloc(100_000);
      const more = (): void => {
        while (written < 16_000_000) {
          written += chunk.length;
          if (!socket.write(chunk)) return void socket.once("drain", more);
        }
      };
      more();
    });
    const { stream, got } = open(clientTo(upstream.port));
    got.onChunk = () => stream.pause();
    await until(() => got.bytes > 0);
    await later(100);
    assert.ok(got.bytes < 1_000_000, `${got.bytes} arrived`);
    got.onChunk = undefined;
    stream.resume();
    await got.over();
    assert.equal(got.bytes, 16_000_000);
  });
});

describe("the HTTP/1.1 client: requests", () => {
  afterEach(cleanUp);

  it("sends the head when it comes, and the body as it comes", async () => {
    const upstream = await watched((socket, index) => {
      if (upstream.texts[index]?.endsWith("0\r\n\r\n") === true) socket.write(OK);
    });
    const client = clientTo(upstream.port);
    const { stream, got } = open(client, POST);
    await until(() => upstream.texts[0]?.endsWith("\r\n\r\n") === true);
    assert.match(upstream.texts[0] ?? "", /^POST \/ HTTP\/1\.1\r\nhost: a\r\n/);
    stream.write(Buffer.from("hello"));
    await until(() => upstream.texts[0]?.endsWith("5\r\nhello\r\n") === true);
    stream.end(new HeaderList(["x-sum", "1"]));
    await until(() => upstream.texts[0]?.endsWith("0\r\nx-sum: 1\r\n\r\n") === true);
    upstream.sockets[0]?.write(OK);
    await got.over();
    assert.equal(got.isEnded, true);
  });

  it("sends a body that is whole, or comes before the connection, with its declared length", async () => {
    const upstream = await watched((socket, index) => {
      if (upstream.texts[index]?.endsWith("hello") === true) socket.write(OK);
    });
    const client = clientTo(upstream.port, { maxConnections: 1 });
    const length = { headers: new HeaderList(["host", "a", "content-length", "5"]), contentLength: 5 };
    const whole = open(client, { ...POST, ...length }, Buffer.from("hello"));
    const streamed = open(client, { ...POST, ...length });
    assert.equal(streamed.stream.write(Buffer.from("he")), false);
    streamed.stream.write(Buffer.from("llo"));
    streamed.stream.end();
    await whole.got.over();
    await streamed.got.over();
    const [text = ""] = upstream.texts;
    assert.equal(text.match(/content-length: 5\r\n/gi)?.length, 2);
    assert.doesNotMatch(text, /transfer-encoding/i);
  });

  it("asks to wait while the upstream does not read, and to go on when it does", async () => {
    const total = 16_000_000;
    let take = (): void => {};
    const { port } = await tcpUpstream((socket) => {
      let bytes = 0;
      socket.pause();
      take = () => void socket.resume();
      socket.on("data", (data) => {
        bytes += data.length;
        if (bytes > total) socket.write(OK);
      });
    });
    const { stream, got } = open(clientTo(port), { ...POST, contentLength: total });
    const chunk = Buffer.alloc(100_000);
    let sent = 0;
    const writeMore = (): void => {
      let isWritable = true;
      while (isWritable && sent < total) {
        sent += chunk.length;
        isWritable = stream.write(chunk);
      }
      if (sent === total) stream.end();
    };
    got.onWritableHook = writeMore;
    writeMore();
    await later(100);
    assert.ok(sent < total, "the kernel's buffers took everything");
    take();
    assert.equal((await got.over()).isEnded, true);
  });

  it("is over with a response that comes before the request is sent, and does not use the connection again", async () => {
    const upstream = await watched((socket) => socket.write(OK));
    const client = clientTo(upstream.port);
    const { stream, got } = open(client, { ...POST, contentLength: 10 });
    stream.write(Buffer.from("half "));
    await got.over();
    assert.equal(got.isEnded, true);
    assert.equal(stream.write(Buffer.from("more ")), true);
    stream.end();
    await open(client).got.over();
    assert.equal(upstream.sockets.length, 2);
  });

  it("resets a request that cannot be sent, and keeps the connection", async () => {
    const upstream = await watched((socket) => socket.write(OK));
    const client = clientTo(upstream.port);
    await open(client).got.over();
    const { got } = open(client, { headers: new HeaderList(["host", "a", "x", "1\r\ny: 2"]) });
    await got.over();
    assert.equal(got.resetWith?.reason, "unsendable");
    await open(client).got.over();
    assert.deepEqual([upstream.sockets.length, client.stats.connected], [1, 1]);
  });

  it("resets with a connection failure when nobody listens", async () => {
    const client = clientTo(await deadPort(), { maxConnections: 1 });
    const all = [1, 2, 3].map(() => open(client).got);
    for (const got of all) {
      await got.over();
      assert.equal(got.resetWith?.reason, "connection-failure");
      assert.match(got.resetWith?.detail ?? "", /ECONNREFUSED/);
    }
    assert.deepEqual(client.stats, { connected: 0, pending: 0 });
  });
});

describe("the HTTP/1.1 client: connections", () => {
  afterEach(cleanUp);

  it("closes an idle connection on which bytes arrive", async () => {
    const upstream = await watched((socket) => socket.write(OK));
    const client = clientTo(upstream.port);
    await open(client).got.over();
    upstream.sockets[0]?.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
    await until(() => client.stats.connected === 0);
    const { got } = open(client);
    await got.over();
    assert.equal(got.body, "ok");
  });

  it("does not use a connection again after bytes behind a response", async () => {
    const upstream = await watched((socket) =>
      socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`),
    );
    const client = clientTo(upstream.port);
    for (let index = 0; index < 2; index++) {
      const { got } = open(client);
      await got.over();
      assert.equal(got.body, "ok");
    }
    assert.equal(upstream.sockets.length, 2);
  });

  it("does not take bytes for the response to a request that was given the connection in the same turn", async () => {
    const upstream = await watched((socket, index) => index === 0 && socket.write(OK));
    const client = clientTo(upstream.port);
    await open(client).got.over();
    let late: Recorder | undefined;
    const trigger = await tcpUpstream((socket) => {
      socket.write("ready");
      socket.on("data", () => {
        late = open(client, { target: "/late" }).got;
      });
    });
    const pulled = connect(trigger.port, "127.0.0.1");
    onCleanup(() => void pulled.destroy());
    await once(pulled, "data");
    // Both arrive in one turn: first the bytes that open the request, then those on the idle connection.
    pulled.write("x");
    upstream.sockets[0]?.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray");
    await until(() => late !== undefined);
    await late?.over();
    assert.deepEqual([late?.resetWith?.reason, late?.body], ["connection-termination", ""]);
    assert.equal(late?.resetWith?.connectionReused, true);
    assert.doesNotMatch(upstream.texts[0] ?? "", /late/);
  });

  it("gives no waiting request a connection whose reset comes with the response", async () => {
    const upstream = await watched((socket, index) => {
      socket.write(OK);
      if (index === 0) socket.resetAndDestroy();
    });
    const client = clientTo(upstream.port, { maxConnections: 1 });
    const first = open(client).got;
    const waiting = open(client, { method: "POST" }).got;
    await first.over();
    await waiting.over();
    assert.deepEqual([first.body, waiting.body], ["ok", "ok"]);
    assert.equal(upstream.sockets.length, 2);
  });

  for (const way of ["end", "resetAndDestroy"] as const) {
    it(`forgets an idle connection that the upstream closes (${way})`, async () => {
      const upstream = await watched((socket) => socket.write(OK));
      const client = clientTo(upstream.port);
      await open(client).got.over();
      upstream.sockets[0]?.[way]();
      await until(() => client.stats.connected === 0);
      assert.equal((await open(client).got.over()).isEnded, true);
    });

    it(`says that a connection was stale when the upstream closes it under a request (${way})`, async () => {
      const upstream = await watched((socket, index) => {
        if ((upstream.texts[index]?.match(/GET/g)?.length ?? 0) > 1) socket[way]();
        else socket.write(OK);
      });
      const client = clientTo(upstream.port);
      await open(client).got.over();
      const { got } = open(client);
      await got.over();
      const { reason, connectionReused } = got.resetWith as StreamReset;
      assert.deepEqual([reason, connectionReused], ["connection-termination", true]);
    });

    it(`says so when the request crosses the upstream's close (${way})`, async () => {
      const upstream = await watched((socket) => socket.write(OK));
      const client = clientTo(upstream.port);
      await open(client).got.over();
      const [socket] = upstream.sockets as [Socket];
      socket[way]();
      // The request is sent before this process reads the end of the connection.
      const { got } = open(client);
      await got.over();
      assert.equal(got.resetWith?.connectionReused, true);
    });
  }

  it("opens a new connection after a stale one, since those that were idle for longer are stale too", async () => {
    const upstream = await watched((socket, index) => {
      const requests = upstream.texts[index]?.match(/GET/g)?.length ?? 0;
      if (index < 3 && requests > 1) socket.resetAndDestroy();
      else socket.write(OK);
    });
    const client = clientTo(upstream.port);
    await Promise.all([1, 2, 3].map(() => open(client).got.over()));
    assert.equal(client.stats.connected, 3);
    assert.equal((await open(client).got.over()).resetWith?.connectionReused, true);
    assert.equal((await open(client).got.over()).body, "ok");
  });

  it("does not call a new connection stale", async () => {
    const upstream = await watched((socket) => socket.resetAndDestroy());
    const { got } = open(clientTo(upstream.port));
    await got.over();
    const { reason, connectionReused } = got.resetWith as StreamReset;
    assert.deepEqual([reason, connectionReused], ["connection-termination", false]);
  });

  it("uses a connection again only when the upstream allows it", async () => {
    for (const head of [
      "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ]) {
      const upstream = await watched((socket) => socket.write(head));
      const client = clientTo(upstream.port);
      for (let index = 0; index < 3; index++) await open(client).got.over();
      assert.equal(upstream.sockets.length, 3);
      assert.equal(client.stats.connected, 0);
    }
  });

  it("cuts the connection of a cancelled request, and opens one only for a request that waits", async () => {
    const upstream = await watched();
    const client = clientTo(upstream.port, { maxConnections: 1 });
    const first = open(client);
    const second = open(client);
    const third = open(client);
    await until(() => (upstream.texts[0] ?? "") !== "");
    third.stream.reset();
    first.stream.reset();
    await until(() => upstream.sockets.length === 2);
    second.stream.reset();
    await until(() => client.stats.connected === 0);
    await later(30);
    assert.equal(upstream.sockets.length, 2);
    assert.deepEqual(
      [first, second, third].flatMap(({ got }) => got.calls),
      [],
    );
  });

  it("cancels from within the receiver's calls", async () => {
    const upstream = await watched((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nokok`),
    );
    const client = clientTo(upstream.port);
    const { stream, got } = open(client);
    got.onHeadHook = () => stream.reset();
    await until(() => client.stats.connected === 0 && got.head !== undefined);
    await later(10);
    assert.deepEqual(got.calls, ["informational 103", "head 200"]);
  });

  it("splices an upgraded connection, with the bytes behind the head", async () => {
    const upstream = await watched((socket, _index, text) => {
      if (text.startsWith("GET"))
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nearly ",
        );
      else socket.write(text);
    });
    for (const socket of upstream.sockets) socket.allowHalfOpen = true;
    const client = clientTo(upstream.port);
    const { stream, got } = open(client, { upgrade: "echo" });
    await until(() => got.body === "early ");
    assert.match(upstream.texts[0] ?? "", /upgrade: echo\r\n/i);
    stream.write(Buffer.from("hello"));
    await until(() => got.body === "early hello");
    stream.end();
    await until(() => got.isEnded && client.stats.connected === 0);
    assert.deepEqual(got.calls, ["head 101", "data", "end"]);
  });

  it("treats a refused upgrade as a response", async () => {
    const upstream = await watched((socket) => socket.write(OK));
    const client = clientTo(upstream.port);
    assert.equal((await open(client, { upgrade: "echo" }).got.over()).body, "ok");
    assert.equal((await open(client).got.over()).body, "ok");
    assert.equal(upstream.sockets.length, 1);
  });

  it("resets an upgraded connection that breaks", async () => {
    const upstream = await watched((socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"),
    );
    const { got } = open(clientTo(upstream.port), { upgrade: "echo" });
    await until(() => got.head !== undefined);
    upstream.sockets[0]?.resetAndDestroy();
    await got.over();
    assert.equal(got.resetWith?.reason, "connection-termination");
  });

  it("closes when the requests under way are over, and cuts them when destroyed", async () => {
    const upstream = await watched();
    const client = clientTo(upstream.port);
    const { got } = open(client);
    await until(() => (upstream.texts[0] ?? "") !== "");
    let isClosed = false;
    const closing = client.close().then(() => (isClosed = true));
    await later(20);
    assert.equal(isClosed, false);
    upstream.sockets[0]?.write(OK);
    await closing;
    assert.deepEqual([got.isEnded, client.stats.connected], [true, 0]);
    const late = open(client).got;
    await late.over();
    assert.equal(late.resetWith?.reason, "connection-failure");

    const other = clientTo(upstream.port);
    const cut = open(other).got;
    await until(() => upstream.sockets.length === 2);
    await other.destroy();
    await cut.over();
    assert.match(cut.resetWith?.reason ?? "", /^connection-/);
  });
});
