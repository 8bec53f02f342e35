// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";

import {
  cleanUp,
  clock,
  later,
  NO_CREDENTIALS,
  onCleanup,
  scheduler,
  tcpUpstream,
  until,
} from "../../../testing/harness.test.ts";
import {
  ACK,
  block,
  CODES,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameReader,
  nameOf,
  PREFACE,
  settings,
  TYPE,
  u32,
} from "../../../../test/http2/raw-client.ts";
import type { ClientSettings, ClientStream, ClientStreamReceiver } from "../../contract/client.ts";
import type { RequestHead, ResponseHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";
import type { StreamReset } from "../../contract/reset.ts";
import { Http2Client } from "./http2-client.ts";

/** Settings of RFC 9113, section 6.5.2, and of RFC 8441. */
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const ENABLE_CONNECT_PROTOCOL = 8;

class Recorder implements ClientStreamReceiver {
  readonly calls: string[] = [];
  head: ResponseHead | undefined;
  body = "";
  trailers: HeaderList | undefined;
  resetWith: StreamReset | undefined;
  writable = 0;

  onInformational(head: ResponseHead): void {
    this.#record(`informational ${head.status}`);
  }
  onHead(head: ResponseHead): void {
    this.#record(`head ${head.status}`);
    this.head = head;
  }
  onData(chunk: Uint8Array): void {
    if (this.calls.at(-1) !== "data") this.#record("data");
    this.body += Buffer.from(chunk).toString("latin1");
  }
  onEnd(trailers: HeaderList | undefined): void {
    this.#record("end");
    this.trailers = trailers;
  }
  onWritable(): void {
    this.writable++;
  }
  onReset(reset: StreamReset): void {
    this.#record(`reset ${reset.reason}`);
    this.resetWith = reset;
  }
  get isOver(): boolean {
    return this.calls.at(-1) === "end" || this.resetWith !== undefined;
  }
  #record(call: string): void {
    assert.equal(this.resetWith, undefined, `${call} after the reset`);
    this.calls.push(call);
  }
}

/** An upstream that acknowledges nothing and answers nothing by itself: the test writes its frames. */
class RawUpstream {
  readonly readers: FrameReader[] = [];
  readonly sockets: Socket[] = [];
  port = 0;

  static async listen(first: Buffer = settings()): Promise<RawUpstream> {
    const upstream = new RawUpstream();
    const { port } = await tcpUpstream((socket, index) => {
      const reader = new FrameReader();
      let skip = PREFACE.length;
      upstream.readers[index] = reader;
      upstream.sockets[index] = socket;
      socket.write(first);
      socket.on("data", (chunk: Buffer) => {
        reader.add(chunk.subarray(Math.min(skip, chunk.length)));
        skip -= Math.min(skip, chunk.length);
      });
    });
    upstream.port = port;
    return upstream;
  }

  send(...frames: readonly Buffer[]): void {
    this.sockets.at(-1)?.write(Buffer.concat(frames));
  }

  /** The kinds of the frames on a stream of the last connection. */
  got(streamId: number): string {
    const frames = this.readers.at(-1)?.frames.filter((each) => each.streamId === streamId) ?? [];
    return frames.map((each) => nameOf(each)).join();
  }

  /** Waits until the last frame on a stream is of the given kind. */
  async gets(streamId: number, kind: string): Promise<void> {
    await until(() => this.got(streamId).endsWith(kind));
  }

  get goaway(): string | undefined {
    const last = this.readers.at(-1)?.frames.findLast(({ type }) => type === TYPE.GOAWAY);
    return last === undefined ? undefined : CODES[last.payload.readUInt32BE(4)];
  }

  /** The bytes of DATA frames on a stream. */
  bodyBytes(streamId: number): number {
    let bytes = 0;
    for (const { type, streamId: id, payload } of this.readers.at(-1)?.frames ?? [])
      if (type === TYPE.DATA && id === streamId) bytes += payload.length;
    return bytes;
  }
}

function clientTo(port: number, more: Partial<ClientSettings> = {}): Http2Client {
  const client = new Http2Client({
    host: "127.0.0.1",
    port,
    protocol: "http2",
    maxConcurrentStreams: 100,
    tls: undefined,
    credentials: NO_CREDENTIALS,
    connectTimeoutMs: 1_000,
    maxConnections: 1,
    maxPendingRequests: 1_000,
    maxRequestsPerConnection: 0,
    maxConnectionDurationMs: 0,
    idleTimeoutMs: 60_000,
    tcpKeepaliveTimeMs: 0,
    maxHeaderBytes: 60 * 1024,
    clock,
    scheduler,
    ...more,
  });
  onCleanup(() => client.destroy());
  return client;
}

function open(
  client: Http2Client,
  head: Partial<RequestHead> = {},
  body?: Uint8Array,
): { readonly stream: ClientStream; readonly got: Recorder } {
  const got = new Recorder();
  const request = {
    method: "GET",
    target: "/",
    headers: new HeaderList(["host", "a"]),
    httpVersion: "1.1",
    hasBody: false,
    contentLength: undefined,
    upgrade: undefined,
    ...head,
  };
  const stream = client.open(request, got, body);
  assert.deepEqual(got.calls, [], "no call before open returns");
  return { stream, got };
}

const POST = { method: "POST", hasBody: true } as const;
const WEBSOCKET = { upgrade: "websocket" } as const;

function head(id: number, flags: number, ...fields: readonly (readonly [string, string])[]): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | flags, id, block(fields));
}
const ok = (id: number, ...fields: readonly (readonly [string, string])[]): Buffer =>
  head(id, 0, [":status", "200"], ...fields);
const data = (id: number, text: string, flags = 0): Buffer => frame(TYPE.DATA, flags, id, Buffer.from(text));
const reset = (id: number, name: string): Buffer => frame(TYPE.RST_STREAM, 0, id, u32(CODES.indexOf(name)));
const goaway = (lastId: number, name = "NO_ERROR"): Buffer =>
  frame(TYPE.GOAWAY, 0, 0, Buffer.concat([u32(lastId), u32(CODES.indexOf(name))]));
const window = (id: number, bytes: number): Buffer => frame(TYPE.WINDOW_UPDATE, 0, id, u32(bytes));

/** Opens a request, and waits until the upstream has its head. */
async function sent(
  upstream: RawUpstream,
  client: Http2Client,
  request: Partial<RequestHead> = {},
): Promise<{ readonly stream: ClientStream; readonly got: Recorder }> {
  const opened = open(client, request);
  await upstream.gets(1, "HEADERS");
  return opened;
}

/** Answers to the request on stream 1, and the calls that its receiver gets. */
const ANSWERS: readonly (readonly [
  title: string,
  frames: readonly Buffer[],
  calls: string,
  request?: Partial<RequestHead>,
])[] = [
  ["a body and trailers", [ok(1), data(1, "a"), head(1, END_STREAM, ["x", "y"])], "head 200,data,end"],
  [
    "a body of the declared length",
    [ok(1, ["content-length", "2"]), data(1, "ok", END_STREAM)],
    "head 200,data,end",
  ],
  [
    "a body in padded frames",
    [ok(1), frame(TYPE.DATA, 9, 1, Buffer.from([2, 97, 0, 0]))],
    "head 200,data,end",
  ],
  ["a head alone", [head(1, END_STREAM, [":status", "204"])], "head 204,end"],
  [
    "informational responses",
    [head(1, 0, [":status", "103"]), head(1, 0, [":status", "100"]), ok(1), data(1, "", END_STREAM)],
    "informational 103,informational 100,head 200,end",
  ],
  [
    "a length without a body, to HEAD",
    [head(1, END_STREAM, [":status", "200"], ["content-length", "9"])],
    "head 200,end",
    { method: "HEAD" },
  ],
  [
    "a length without a body, with 304",
    [head(1, END_STREAM, [":status", "304"], ["content-length", "9"])],
    "head 304,end",
  ],
  [
    "a length of 0 with 204",
    [head(1, END_STREAM, [":status", "204"], ["content-length", "0"])],
    "head 204,end",
  ],
  [
    "a whole response, and a reset",
    [ok(1), data(1, "a", END_STREAM), reset(1, "NO_ERROR")],
    "head 200,data,end",
  ],
  [
    "NO_ERROR before the end",
    [ok(1), data(1, "a"), reset(1, "NO_ERROR")],
    "head 200,data,reset remote-reset",
  ],
  ["NO_ERROR before the head", [reset(1, "NO_ERROR")], "reset remote-reset"],
  ["a refusal", [reset(1, "REFUSED_STREAM")], "reset remote-refused-stream"],
  ["GOAWAY below the stream", [goaway(0)], "reset remote-refused-stream"],
  ["GOAWAY that includes the stream", [goaway(1), ok(1), data(1, "a", END_STREAM)], "head 200,data,end"],
  [
    "GOAWAY with an error, and a refused stream",
    [goaway(0, "ENHANCE_YOUR_CALM")],
    "reset remote-refused-stream",
  ],
];

/** Answers that break the protocol: the stream is reset with the code, and the connection stays. */
const MALFORMED: readonly (readonly [
  title: string,
  frames: readonly Buffer[],
  calls: string,
  request?: Partial<RequestHead>,
])[] = [
  ["no status", [head(1, 0, ["x", "y"])], ""],
  ["two statuses", [head(1, 0, [":status", "200"], [":status", "200"])], ""],
  ["a status of letters", [head(1, 0, [":status", "abc"])], ""],
  ["a status of two digits", [head(1, 0, [":status", "20"])], ""],
  ["a status of 0", [head(1, 0, [":status", "000"])], ""],
  ["101", [head(1, 0, [":status", "101"])], ""],
  ["an informational response that ends", [head(1, END_STREAM, [":status", "103"])], ""],
  ["a pseudo-header field of requests", [head(1, 0, [":status", "200"], [":path", "/"])], ""],
  ["a pseudo-header field after another", [head(1, 0, ["x", "y"], [":status", "200"])], ""],
  ["a name in upper case", [ok(1, ["X-Y", "z"])], ""],
  ["a name with a space", [ok(1, ["x y", "z"])], ""],
  ["a name with a line feed", [ok(1, ["x\n", "z"])], ""],
  ["an empty name", [ok(1, ["", "z"])], ""],
  ["a value with a line feed", [ok(1, ["x", "a\nb: c"])], ""],
  ["a value with a NUL", [ok(1, ["x", "a\0"])], ""],
  ["a field about the connection", [ok(1, ["connection", "close"])], ""],
  ["transfer-encoding", [ok(1, ["transfer-encoding", "chunked"])], ""],
  ["a length that is no number", [ok(1, ["content-length", "+2"])], ""],
  ["two lengths", [ok(1, ["content-length", "2"], ["content-length", "2"])], ""],
  ["a length with 204", [head(1, END_STREAM, [":status", "204"], ["content-length", "1"])], ""],
  ["DATA before the head", [data(1, "a")], ""],
  ["more than the declared length", [ok(1, ["content-length", "1"]), data(1, "ab")], "head 200,"],
  [
    "less than the declared length",
    [ok(1, ["content-length", "2"]), data(1, "a", END_STREAM)],
    "head 200,data,",
  ],
  ["a body to HEAD", [ok(1), data(1, "a")], "head 200,", { method: "HEAD" }],
  ["a second head that does not end", [ok(1), head(1, 0, ["x", "y"])], "head 200,"],
  ["trailers with a pseudo-header field", [ok(1), head(1, END_STREAM, [":status", "200"])], "head 200,"],
  ["a window of nothing", [window(1, 0)], ""],
  ["a list of fields that is too large", [ok(1, ["x", "y".repeat(14_950)])], "", {}],
  [
    "101 informational responses",
    Array.from({ length: 101 }, () => head(1, 0, [":status", "103"])),
    "informational 103,".repeat(100),
  ],
];

/** Frames that end the connection, with the code of the GOAWAY. */
const FAULTS: readonly (readonly [title: string, frames: readonly Buffer[], code: string])[] = [
  [
    "a head that HPACK cannot decode",
    [frame(TYPE.HEADERS, END_HEADERS, 1, Buffer.from([0x80]))],
    "COMPRESSION_ERROR",
  ],
  ["a push", [frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.from([0, 0, 0, 2, 0x88]))], "PROTOCOL_ERROR"],
  ["a head on a stream that nobody opened", [ok(3)], "PROTOCOL_ERROR"],
  ["a head on an even stream", [ok(2)], "PROTOCOL_ERROR"],
  ["DATA on a stream that nobody opened", [data(3, "a")], "PROTOCOL_ERROR"],
  ["a reset of a stream that nobody opened", [reset(3, "CANCEL")], "PROTOCOL_ERROR"],
  ["a frame that is too large", [frame(TYPE.DATA, 0, 1, Buffer.alloc(16_385))], "FRAME_SIZE_ERROR"],
  ["a setting with a forbidden value", [settings([[INITIAL_WINDOW_SIZE, 2 ** 31]])], "FLOW_CONTROL_ERROR"],
  ["push enabled by a server", [settings([[2, 1]])], "PROTOCOL_ERROR"],
  ["a window that is too large", [window(0, 2 ** 31 - 1)], "FLOW_CONTROL_ERROR"],
  ["empty frames", [ok(1), ...Array.from({ length: 20 }, () => data(1, ""))], "ENHANCE_YOUR_CALM"],
  [
    "many PINGs",
    Array.from({ length: 2_000 }, () => frame(TYPE.PING, 0, 0, Buffer.alloc(8))),
    "ENHANCE_YOUR_CALM",
  ],
];

describe("the client of HTTP/2", () => {
  afterEach(cleanUp);

  for (const [title, frames, calls, request] of ANSWERS)
    it(`takes ${title}`, async () => {
      const upstream = await RawUpstream.listen();
      const { got } = await sent(upstream, clientTo(upstream.port), request);
      upstream.send(...frames);
      await until(() => got.isOver);
      assert.equal(got.calls.join(), calls);
    });

  for (const [title, frames, before, request] of MALFORMED)
    it(`resets a stream with ${title}, and keeps the connection`, async () => {
      const upstream = await RawUpstream.listen();
      const client = clientTo(upstream.port, request === undefined ? {} : { maxHeaderBytes: 15_000 });
      const { got } = await sent(upstream, client, request);
      upstream.send(...frames);
      await until(() => got.isOver);
      assert.equal(got.calls.join(), `${before}reset protocol-error`);
      await upstream.gets(1, "RST_STREAM PROTOCOL_ERROR");
      const next = open(client);
      await upstream.gets(3, "HEADERS");
      upstream.send(head(3, END_STREAM, [":status", "200"]));
      await until(() => next.got.isOver);
      assert.equal(next.got.calls.join(), "head 200,end");
      assert.equal(upstream.sockets.length, 1);
    });

  for (const [title, frames, code] of FAULTS)
    it(`ends a connection with ${title}`, async () => {
      const upstream = await RawUpstream.listen();
      const client = clientTo(upstream.port);
      const { got } = await sent(upstream, client);
      upstream.send(...frames);
      await until(() => got.isOver);
      assert.equal(got.calls.at(-1), "reset protocol-error");
      await until(() => upstream.goaway !== undefined);
      assert.equal(upstream.goaway, code);
      await until(() => client.stats.connected === 0);
    });

  it("fails requests to a server of HTTP/1.1, and one that says nothing", async () => {
    const http1 = await RawUpstream.listen(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const silent = await RawUpstream.listen(Buffer.alloc(0));
    const { got: first } = open(clientTo(http1.port));
    const { got: second } = open(clientTo(silent.port, { connectTimeoutMs: 100 }));
    await until(() => first.isOver && second.isOver);
    assert.deepEqual(
      [first.calls, second.calls],
      [["reset connection-failure"], ["reset connection-failure"]],
    );
  });

  it("sends its settings before requests, and a request of one frame", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    await sent(upstream, client);
    const [first, ...others] = upstream.readers[0]?.frames ?? [];
    assert.equal(first?.type, TYPE.SETTINGS);
    const request = others.find(({ type }) => type === TYPE.HEADERS);
    assert.equal(request?.flags, END_STREAM | END_HEADERS);
  });

  it("waits for the settings before it sends, and queues what the upstream's limit leaves", async () => {
    const upstream = await RawUpstream.listen(Buffer.alloc(0));
    const client = clientTo(upstream.port);
    const opened = [open(client), open(client), open(client)];
    await until(() => upstream.sockets.length === 1);
    await later(50);
    assert.equal(upstream.got(1), "");
    upstream.send(settings([[MAX_CONCURRENT_STREAMS, 1]]));
    await upstream.gets(1, "HEADERS");
    assert.deepEqual([upstream.got(3), client.stats.pending], ["", 2]);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await upstream.gets(3, "HEADERS");
    upstream.send(settings([[MAX_CONCURRENT_STREAMS, 2]]));
    await upstream.gets(5, "HEADERS");
    upstream.send(head(3, END_STREAM, [":status", "200"]), head(5, END_STREAM, [":status", "200"]));
    await until(() => opened.every(({ got }) => got.isOver));
  });

  it("moves to a new connection after GOAWAY, and closes the old one with its last stream", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    const { got } = await sent(upstream, client);
    const [old] = upstream.sockets as [Socket];
    upstream.send(goaway(2 ** 31 - 1));
    await until(() => upstream.goaway === "NO_ERROR");
    const next = open(client);
    await until(() => upstream.sockets.length === 2);
    old.write(Buffer.concat([goaway(1), ok(1), data(1, "a", END_STREAM)]));
    await until(() => got.isOver && old.destroyed);
    assert.equal(got.calls.join(), "head 200,data,end");
    await upstream.gets(1, "HEADERS");
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => next.got.isOver);
    assert.deepEqual([next.got.calls.join(), client.stats.connected], ["head 200,end", 1]);
  });

  it("says whether an earlier stream was answered on the connection", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    const first = await sent(upstream, client);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => first.got.isOver);
    const second = open(client);
    await upstream.gets(3, "HEADERS");
    upstream.sockets[0]?.destroy();
    await until(() => second.got.isOver);
    assert.deepEqual(
      [second.got.resetWith?.reason, second.got.resetWith?.connectionReused],
      ["connection-termination", true],
    );
  });

  it("holds a response for a receiver that is paused, also when the upstream resets the stream after its end", async () => {
    const upstream = await RawUpstream.listen();
    const { stream, got } = await sent(upstream, clientTo(upstream.port), POST);
    stream.pause();
    upstream.send(ok(1), data(1, "a"), data(1, "b", END_STREAM), reset(1, "NO_ERROR"));
    await until(() => got.calls.length > 0);
    await later(50);
    assert.equal(got.calls.join(), "head 200");
    stream.resume();
    await until(() => got.isOver);
    assert.deepEqual([got.calls.join(), got.body], ["head 200,data,end", "ab"]);
  });

  it("gives the upstream no more window than a paused receiver has taken", async () => {
    const upstream = await RawUpstream.listen();
    const { stream, got } = await sent(upstream, clientTo(upstream.port));
    stream.pause();
    upstream.send(ok(1), ...Array.from({ length: 4 }, () => data(1, "x".repeat(16_000))));
    await until(() => got.calls.length > 0);
    await later(50);
    assert.equal(upstream.got(1), "HEADERS");
    stream.resume();
    await upstream.gets(1, "WINDOW_UPDATE");
    assert.equal(got.body.length, 64_000);
  });

  it("sends a body as the windows allow, and tells when more can be written", async () => {
    const upstream = await RawUpstream.listen(settings([[INITIAL_WINDOW_SIZE, 10]]));
    const { stream, got } = await sent(upstream, clientTo(upstream.port), POST);
    assert.equal(stream.write(Buffer.alloc(25)), false);
    stream.end();
    await until(() => upstream.bodyBytes(1) === 10);
    upstream.send(window(1, 5));
    await until(() => upstream.bodyBytes(1) === 15);
    upstream.send(settings([[INITIAL_WINDOW_SIZE, 0]]), window(1, 9));
    await later(50);
    assert.equal(upstream.bodyBytes(1), 15, "the window is less than nothing: 15 - 25 + 9");
    upstream.send(window(1, 11));
    await until(() => upstream.bodyBytes(1) === 25);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => got.isOver);
  });

  it("calls onWritable when a waiting body has gone out", async () => {
    const upstream = await RawUpstream.listen(settings([[INITIAL_WINDOW_SIZE, 10]]));
    const { stream, got } = await sent(upstream, clientTo(upstream.port), POST);
    assert.equal(stream.write(Buffer.alloc(25)), false);
    await until(() => upstream.bodyBytes(1) === 10);
    assert.equal(got.writable, 0);
    upstream.send(window(1, 100));
    await until(() => got.writable === 1);
  });

  it("sends the body that came before the connection, with its trailers", async () => {
    const upstream = await RawUpstream.listen();
    const { stream, got } = open(clientTo(upstream.port), POST);
    assert.equal(stream.write(Buffer.from("early")), false);
    stream.end(new HeaderList(["x-sum", "1"]));
    await upstream.gets(1, "HEADERS,DATA,HEADERS");
    assert.equal(upstream.bodyBytes(1), 5);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => got.isOver);
  });

  it("cancels a stream, ignores what is on its way, and gives its window back", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port, { maxConcurrentStreams: 1_000 });
    const all = Array.from({ length: 400 }, () => open(client));
    await upstream.gets(799, "HEADERS");
    for (const { stream } of all) stream.reset();
    await upstream.gets(799, "RST_STREAM CANCEL");
    // Frames that crossed the cancellation, on the oldest streams too.
    for (let id = 1; id < 100; id += 2) upstream.send(ok(id), data(id, "x".repeat(16_000)));
    const next = open(client);
    await upstream.gets(801, "HEADERS");
    upstream.send(head(801, END_STREAM, [":status", "200"]));
    await until(() => next.got.isOver);
    assert.equal(next.got.calls.join(), "head 200,end");
    await until(() => upstream.got(0).includes("WINDOW_UPDATE"));
    assert.ok(all.every(({ got }) => got.calls.length === 0));
  });

  it("takes a request out of the queue when it is cancelled there", async () => {
    const upstream = await RawUpstream.listen(Buffer.alloc(0));
    const client = clientTo(upstream.port);
    const { stream } = open(client);
    stream.reset();
    const { got } = open(client);
    await until(() => upstream.sockets.length === 1);
    upstream.send(settings());
    await upstream.gets(1, "HEADERS");
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => got.isOver);
    assert.equal(upstream.got(3), "");
  });

  it("stops sending when the response is whole", async () => {
    const upstream = await RawUpstream.listen();
    const { stream, got } = await sent(upstream, clientTo(upstream.port), POST);
    upstream.send(head(1, END_STREAM, [":status", "413"]));
    await until(() => got.isOver);
    assert.equal(got.calls.join(), "head 413,end");
    await upstream.gets(1, "RST_STREAM NO_ERROR");
    assert.equal(stream.write(Buffer.from("late")), true);
    stream.end();
    await later(20);
    assert.equal(upstream.got(1), "HEADERS,RST_STREAM NO_ERROR");
  });

  it("carries a tunnel where the upstream takes extended CONNECT, and half-closes it", async () => {
    const upstream = await RawUpstream.listen(settings([[ENABLE_CONNECT_PROTOCOL, 1]]));
    const { stream, got } = await sent(upstream, clientTo(upstream.port), WEBSOCKET);
    upstream.send(ok(1), data(1, "hello"));
    await until(() => got.body === "hello");
    stream.write(Buffer.from("hi"));
    await until(() => upstream.bodyBytes(1) === 2);
    upstream.send(data(1, "", END_STREAM));
    await until(() => got.calls.at(-1) === "end");
    stream.write(Buffer.from("more"));
    stream.end();
    await until(() => upstream.bodyBytes(1) === 6);
    await later(20);
    assert.equal(got.calls.join(), "head 101,data,end");
    assert.ok(!upstream.got(1).includes("RST_STREAM"));
  });

  it("refuses a tunnel where the upstream does not, after open has returned", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    await sent(upstream, client);
    const { got } = open(client, WEBSOCKET);
    await until(() => got.isOver);
    assert.equal(got.calls.join(), "reset protocol-error");
    assert.equal(upstream.got(3), "");
  });

  it("forwards an upstream's refusal of a tunnel, and ends the stream", async () => {
    const upstream = await RawUpstream.listen(settings([[ENABLE_CONNECT_PROTOCOL, 1]]));
    const { got } = await sent(upstream, clientTo(upstream.port), WEBSOCKET);
    upstream.send(head(1, 0, [":status", "403"]), data(1, "no", END_STREAM));
    await until(() => got.isOver);
    assert.equal(got.calls.join(), "head 403,data,end");
    await upstream.gets(1, "RST_STREAM NO_ERROR");
  });

  it("answers PING and SETTINGS", async () => {
    const upstream = await RawUpstream.listen();
    await sent(upstream, clientTo(upstream.port));
    upstream.send(frame(TYPE.PING, 0, 0, Buffer.from("12345678")), settings());
    const acks = (type: number): number =>
      upstream.readers[0]?.frames.filter((each) => each.type === type && each.flags === ACK).length ?? 0;
    await until(() => acks(TYPE.PING) === 1 && acks(TYPE.SETTINGS) === 2);
  });

  it("closes its connections when it is closed, after the requests under way", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    const { got } = await sent(upstream, client);
    let isClosed = false;
    const closing = client.close().then(() => (isClosed = true));
    await later(50);
    assert.ok(!isClosed);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await closing;
    assert.equal(got.calls.join(), "head 200,end");
    await until(() => upstream.goaway === "NO_ERROR");
  });

  it("closes an idle connection at once", async () => {
    const upstream = await RawUpstream.listen();
    const client = clientTo(upstream.port);
    const { got } = await sent(upstream, client);
    upstream.send(head(1, END_STREAM, [":status", "200"]));
    await until(() => got.isOver);
    await client.close();
    assert.equal(client.stats.connected, 0);
  });
});
