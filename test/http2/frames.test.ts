// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import {
  ALLOW,
  call,
  cleanUp,
  EDGE,
  later,
  onCleanup,
  type Rig,
  startWith,
  until,
} from "../../proxy/testing/harness.test.ts";
import {
  ACK,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  RawHttp2Client,
  request,
  settings,
  TYPE,
  u32,
} from "./raw-client.ts";

type Fields = readonly (readonly [string, string])[];

const without = (name: string): Fields => GET.filter(([one]) => one !== name);
const withField = (name: string, value: string): Fields => [...GET, [name, value]];
const replaced = (name: string, value: string): Fields =>
  GET.map(([one, old]) => [one, one === name ? value : old]);
const POST = [...replaced(":method", "POST"), ["content-length", "3"]] as Fields;

const times = (count: number, one: (index: number) => Buffer): readonly Buffer[] =>
  Array.from({ length: count }, (_, index) => one(index));

const OPEN = [request(1, replaced(":method", "POST"), END_HEADERS)];

/** Requests that the proxy refuses, with its reaction on their stream. */
const REFUSED: readonly (readonly [title: string, frames: readonly Buffer[], reaction: string])[] = [
  ["a name in upper case", [request(1, withField("X-A", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["connection", [request(1, withField("connection", "close"))], "RST_STREAM PROTOCOL_ERROR"],
  ["keep-alive", [request(1, withField("keep-alive", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["proxy-connection", [request(1, withField("proxy-connection", "close"))], "RST_STREAM PROTOCOL_ERROR"],
  ["transfer-encoding", [request(1, withField("transfer-encoding", "chunked"))], "RST_STREAM PROTOCOL_ERROR"],
  ["upgrade", [request(1, withField("upgrade", "websocket"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a space in a name", [request(1, withField("x a", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a name that is not ASCII", [request(1, withField("x-\xe9", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["an empty name", [request(1, withField("", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a NUL in a value", [request(1, withField("x-a", "a\0b"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a line feed in a value", [request(1, withField("x-a", "a\nb: c"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a carriage return in a value", [request(1, withField("x-a", "a\rb"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a DEL in a value", [request(1, withField("x-a", "a\x7fb"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a value that ends with a space", [request(1, withField("x-a", "a "))], "RST_STREAM PROTOCOL_ERROR"],
  ["a line feed in a cookie", [request(1, withField("cookie", "a\nb"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a line feed in :path", [request(1, replaced(":path", "/\nb"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a space in :method", [request(1, replaced(":method", "G T"))], "RST_STREAM PROTOCOL_ERROR"],
  [
    "a length that is no number",
    [request(1, withField("content-length", "1x"), END_HEADERS)],
    "RST_STREAM PROTOCOL_ERROR",
  ],
  [
    "a :protocol without CONNECT",
    [request(1, withField(":protocol", "websocket"))],
    "RST_STREAM PROTOCOL_ERROR",
  ],
  ["te other than trailers", [request(1, withField("te", "gzip"))], "RST_STREAM PROTOCOL_ERROR"],
  ["no :method", [request(1, without(":method"))], "RST_STREAM PROTOCOL_ERROR"],
  ["no :path", [request(1, without(":path"))], "RST_STREAM PROTOCOL_ERROR"],
  ["no :scheme", [request(1, without(":scheme"))], "RST_STREAM PROTOCOL_ERROR"],
  ["no :authority", [request(1, without(":authority"))], "RST_STREAM PROTOCOL_ERROR"],
  ["an empty :path", [request(1, replaced(":path", ""))], "RST_STREAM PROTOCOL_ERROR"],
  ["a relative :path", [request(1, replaced(":path", "a"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a second :path", [request(1, withField(":path", "/b"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a second :authority", [request(1, withField(":authority", "b"))], "RST_STREAM PROTOCOL_ERROR"],
  ["an unknown pseudo-header", [request(1, withField(":extra", "1"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a late pseudo-header", [request(1, [["x-a", "1"], ...GET])], "RST_STREAM PROTOCOL_ERROR"],
  ["a response's pseudo-header", [request(1, withField(":status", "200"))], "RST_STREAM PROTOCOL_ERROR"],
  ["two lengths", [request(1, [...POST, ["content-length", "3"]], END_HEADERS)], "RST_STREAM PROTOCOL_ERROR"],
  ["a length with no body", [request(1, POST)], "RST_STREAM PROTOCOL_ERROR"],
  [
    "a pseudo-header in trailers",
    [
      request(1, replaced(":method", "POST"), END_HEADERS),
      frame(TYPE.HEADERS, END_STREAM | END_HEADERS, 1, block([[":path", "/b"]])),
    ],
    "RST_STREAM PROTOCOL_ERROR",
  ],
  [
    "more DATA than the stream's window",
    [...OPEN, ...times(5, () => frame(TYPE.DATA, 0, 1, Buffer.alloc(16_384)))],
    "RST_STREAM FLOW_CONTROL_ERROR",
  ],
  [
    "DATA after its end",
    [request(1, GET), frame(TYPE.DATA, 0, 1, Buffer.from("a"))],
    "RST_STREAM STREAM_CLOSED",
  ],
  [
    "trailers that do not end it",
    [...OPEN, frame(TYPE.HEADERS, END_HEADERS, 1, block([["x-a", "1"]]))],
    "RST_STREAM PROTOCOL_ERROR",
  ],
  ["a window of nothing", [...OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(0))], "RST_STREAM PROTOCOL_ERROR"],
  [
    "a window past its maximum",
    [...OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(2 ** 31 - 1))],
    "RST_STREAM FLOW_CONTROL_ERROR",
  ],
  [
    "a PRIORITY of 4 bytes",
    [...OPEN, frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))],
    "RST_STREAM FRAME_SIZE_ERROR",
  ],
  ["another scheme", [request(1, replaced(":scheme", "ftp"))], "HEADERS,DATA"],
  ["another Host", [request(1, withField("host", "b"))], "HEADERS,DATA"],
  ["two Hosts", [request(1, [...withField("host", "b"), ["host", "a"]])], "RST_STREAM PROTOCOL_ERROR"],
  ["a malformed Host", [request(1, replaced(":authority", "a b"))], "RST_STREAM PROTOCOL_ERROR"],
  ["a :path with a fragment", [request(1, replaced(":path", "/a#b"))], "HEADERS,DATA"],
  ["a :path that is not ASCII", [request(1, replaced(":path", "/\xe9"))], "HEADERS,DATA"],
  [
    "CONNECT",
    [
      request(
        1,
        [
          [":method", "CONNECT"],
          [":authority", "a:1"],
        ],
        END_HEADERS,
      ),
    ],
    "HEADERS,DATA",
  ],
];

/** Frames that end the connection, with the code of its GOAWAY. */
const FATAL: readonly (readonly [title: string, frames: readonly Buffer[], code: string])[] = [
  ["a request on an even stream", [request(2)], "PROTOCOL_ERROR"],
  ["DATA on a stream that is idle", [frame(TYPE.DATA, 0, 1, Buffer.from("a"))], "PROTOCOL_ERROR"],
  ["DATA on the connection", [frame(TYPE.DATA, 0, 0, Buffer.from("a"))], "PROTOCOL_ERROR"],
  ["a PUSH_PROMISE", [frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.alloc(4))], "PROTOCOL_ERROR"],
  ["a CONTINUATION without a head", [frame(TYPE.CONTINUATION, END_HEADERS, 1)], "PROTOCOL_ERROR"],
  [
    "a frame inside a head",
    [request(1, GET, END_STREAM), frame(TYPE.PING, 0, 0, Buffer.alloc(8))],
    "PROTOCOL_ERROR",
  ],
  ["a frame larger than allowed", [frame(TYPE.DATA, 0, 1, Buffer.alloc(20_000))], "FRAME_SIZE_ERROR"],
  ["a PING of 7 bytes", [frame(TYPE.PING, 0, 0, Buffer.alloc(7))], "FRAME_SIZE_ERROR"],
  ["SETTINGS of 5 bytes", [frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(5))], "FRAME_SIZE_ERROR"],
  ["a window past its maximum", [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1))], "FLOW_CONTROL_ERROR"],
  ["RST_STREAM on a stream that is idle", [frame(TYPE.RST_STREAM, 0, 1, u32(8))], "PROTOCOL_ERROR"],
  ["RST_STREAM of 3 bytes", [request(1), frame(TYPE.RST_STREAM, 0, 1, Buffer.alloc(3))], "FRAME_SIZE_ERROR"],
  ["a WINDOW_UPDATE on a stream that is idle", [frame(TYPE.WINDOW_UPDATE, 0, 1, u32(8))], "PROTOCOL_ERROR"],
  ["a WINDOW_UPDATE of 3 bytes", [frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))], "FRAME_SIZE_ERROR"],
  ["SETTINGS on a stream", [frame(TYPE.SETTINGS, 0, 1)], "PROTOCOL_ERROR"],
  ["an ACK of SETTINGS with entries", [frame(TYPE.SETTINGS, ACK, 0, Buffer.alloc(6))], "FRAME_SIZE_ERROR"],
  ["a PING on a stream", [frame(TYPE.PING, 0, 1, Buffer.alloc(8))], "PROTOCOL_ERROR"],
  ["a GOAWAY on a stream", [frame(TYPE.GOAWAY, 0, 1, Buffer.alloc(8))], "PROTOCOL_ERROR"],
  ["a GOAWAY of 7 bytes", [frame(TYPE.GOAWAY, 0, 0, Buffer.alloc(7))], "FRAME_SIZE_ERROR"],
  ["a head on the connection", [request(0)], "PROTOCOL_ERROR"],
  ["padding longer than DATA", [...OPEN, frame(TYPE.DATA, 8, 1, Buffer.from([9, 1]))], "PROTOCOL_ERROR"],
  ["padding longer than a head", [frame(TYPE.HEADERS, 13, 1, Buffer.from([9, 0x82]))], "PROTOCOL_ERROR"],
  ["padding without its length", [...OPEN, frame(TYPE.DATA, 8, 1)], "PROTOCOL_ERROR"],
  ["a frame size below the minimum", [settings([[5, 16_383]])], "PROTOCOL_ERROR"],
  ["an initial window past its maximum", [settings([[4, 2 ** 31]])], "FLOW_CONTROL_ERROR"],
  ["ENABLE_PUSH of 2", [settings([[2, 2]])], "PROTOCOL_ERROR"],
  ["a head within a head", [request(1, GET, END_STREAM), request(3)], "PROTOCOL_ERROR"],
  [
    "a CONTINUATION of another stream",
    [request(1, GET, END_STREAM), frame(TYPE.CONTINUATION, END_HEADERS, 3)],
    "PROTOCOL_ERROR",
  ],
  [
    "a window that new settings make too large",
    [...OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(2 ** 31 - 1 - 65_535)), settings([[4, 65_536]])],
    "FLOW_CONTROL_ERROR",
  ],
  ["a window of nothing", [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(0))], "PROTOCOL_ERROR"],
  [
    "a request that ends twice",
    [
      request(1, POST, END_HEADERS),
      frame(TYPE.DATA, 0, 1, Buffer.from("abc")),
      frame(TYPE.DATA, END_STREAM, 1),
      frame(TYPE.RST_STREAM, 0, 1, u32(8)),
      frame(TYPE.DATA, 0, 1, Buffer.from("d")),
    ],
    "STREAM_CLOSED",
  ],
  [
    "a head that no table has",
    [frame(TYPE.HEADERS, 5, 1, Buffer.from([0xff, 0xff, 0x7f]))],
    "COMPRESSION_ERROR",
  ],
];

/** Floods: each costs the client less than the proxy. All end with ENHANCE_YOUR_CALM. */
const FLOODS: readonly (readonly [title: string, frames: readonly Buffer[]])[] = [
  ["PING", times(1_200, () => frame(TYPE.PING, 0, 0, Buffer.alloc(8)))],
  ["SETTINGS", times(1_200, () => settings())],
  ["PRIORITY", times(300, (index) => frame(TYPE.PRIORITY, 0, 2 * index + 1, Buffer.alloc(5)))],
  ["WINDOW_UPDATE", times(40, () => frame(TYPE.WINDOW_UPDATE, 0, 0, u32(1)))],
  ["empty DATA", [...OPEN, ...times(10, () => frame(TYPE.DATA, 0, 1))]],
  ["empty CONTINUATION", [request(1, GET, END_STREAM), ...times(10, () => frame(TYPE.CONTINUATION, 0, 1))]],
  [
    "CONTINUATION (CVE-2024-27983)",
    [
      request(1, GET, END_STREAM),
      ...times(5_000, () => frame(TYPE.CONTINUATION, 0, 1, block([["x", "y".repeat(50)]]))),
    ],
  ],
  [
    "rapid reset (CVE-2023-44487)",
    times(2_000, (index) =>
      Buffer.concat([request(2 * index + 1), frame(TYPE.RST_STREAM, 0, 2 * index + 1, u32(8))]),
    ),
  ],
];

describe("frames of HTTP/2 that clients write by hand", () => {
  afterEach(cleanUp);

  let upstreamCalls = 0;
  const start = (): Promise<Rig> => {
    upstreamCalls = 0;
    return startWith((incoming, outgoing) => {
      upstreamCalls++;
      incoming.on("error", () => {});
      incoming.resume();
      incoming.on("end", () => outgoing.end("hello"));
    });
  };

  function client(rig: Rig): RawHttp2Client {
    const made = new RawHttp2Client(rig.port);
    onCleanup(() => void made.socket.destroy());
    return made;
  }

  it("are answered, when they are a request", async () => {
    const rig = await start();
    const raw = client(rig);
    raw.send(request(1));
    await until(() => raw.isAnswered(1));
    assert.equal(upstreamCalls, 1);
  });

  it("may come byte by byte", async () => {
    const rig = await start();
    const raw = new RawHttp2Client(rig.port, Buffer.alloc(0));
    onCleanup(() => void raw.socket.destroy());
    const bytes = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings(), request(1)]);
    for (const byte of bytes) {
      raw.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => raw.isAnswered(1));
  });

  for (const [title, frames, reaction] of REFUSED) {
    it(`are refused, with ${title}; no upstream gets the request, and the next is served`, async () => {
      const rig = await start();
      const raw = client(rig);
      raw.send(...frames);
      await until(() => raw.reactionOf(1).startsWith(reaction));
      raw.send(request(3));
      await until(() => raw.isAnswered(3));
      assert.ok(upstreamCalls <= 2);
      if (frames.length === 1) assert.equal(upstreamCalls, 1);
    });
  }

  for (const [title, frames] of [
    ["a user in :authority", [request(1, replaced(":authority", "u@a"))]],
    [
      "a body longer than its length",
      [request(1, POST, END_HEADERS), frame(TYPE.DATA, END_STREAM, 1, Buffer.from("four"))],
    ],
  ] as const) {
    it(`are reset, with ${title}`, async () => {
      const rig = await start();
      const raw = client(rig);
      raw.send(...frames);
      await until(() => raw.reactionOf(1) === "RST_STREAM PROTOCOL_ERROR");
      assert.equal(upstreamCalls, 0);
    });
  }

  for (const [title, frames, code] of FATAL) {
    it(`end the connection, with ${title}`, async () => {
      const rig = await start();
      const raw = client(rig);
      raw.send(...frames);
      await until(() => raw.isClosed);
      assert.equal(raw.goaway, code);
    });
  }

  for (const [title, frames] of FLOODS) {
    it(`that flood a connection with ${title} end it, and hurt no other`, async () => {
      const rig = await start();
      const other = client(rig);
      const raw = client(rig);
      raw.send(...frames);
      // Two thousand requests take a busy machine more than the second of `until`.
      for (let tries = 0; tries < 5 && !raw.isClosed; tries++)
        await until(() => raw.isClosed).catch(() => {});
      assert.ok(raw.isClosed);
      assert.equal(raw.goaway, "ENHANCE_YOUR_CALM");
      other.send(request(1));
      await until(() => other.isAnswered(1));
      assert.equal((await call(rig.port)).status, 200);
    });
  }

  it("that leave a head incomplete end at the limit for heads, and a client that says nothing more, too", async () => {
    const limits = { ...EDGE.limits, headersTimeoutMs: 200 };
    const rig = await startWith((_incoming, outgoing) => outgoing.end("hello"), { listener: { limits } });
    const idle = client(rig);
    idle.send(request(1));
    await until(() => idle.isAnswered(1));
    const halves = [[request(1, GET, END_STREAM)], [request(1).subarray(0, 20)]].map((frames) => {
      const raw = client(rig);
      raw.send(...frames);
      return raw;
    });
    const silent = new RawHttp2Client(rig.port, Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    await until(() => [...halves, silent].every(({ isClosed }) => isClosed));
    assert.equal(idle.isClosed, false);
  });

  it("of one byte each are held to a bound, while nobody reads them", async () => {
    const rig = await start();
    rig.policy.decide = () => new Promise(() => {});
    const raw = client(rig);
    raw.send(...OPEN, ...times(9_000, () => frame(TYPE.DATA, 0, 1, Buffer.from("a"))));
    await until(() => rig.policy.checks.length === 1);
    await later(100);
    assert.equal(raw.isClosed, false);
    raw.send(...times(3_000, () => frame(TYPE.DATA, 0, 1, Buffer.from("a"))));
    await until(() => raw.isClosed);
    assert.equal(raw.goaway, "ENHANCE_YOUR_CALM");
    rig.policy.decide = () => ALLOW;
    assert.equal((await call(rig.port)).status, 200);
  });

  it("that unpack to a large head are refused (header bomb)", async () => {
    const rig = await start();
    const raw = client(rig);
    const name = Buffer.from([0x40, 3, 0x78, 0x2d, 0x61, 0x7f, 0xa1, 0x1e]);
    // One entry of the table with 4,000 bytes, named 1,000 times by one byte each.
    const entry = Buffer.concat([name, Buffer.alloc(4_000, 0x61)]);
    const bomb = Buffer.concat([block(GET), entry, Buffer.alloc(1_000, 0xbe)]);
    raw.send(frame(TYPE.HEADERS, END_STREAM | END_HEADERS, 1, bomb));
    await until(() => raw.isAnswered(1));
    assert.equal(upstreamCalls, 0);
    assert.equal((await call(rig.port)).status, 200);
  });

  it("get their SETTINGS and PING answered", async () => {
    const raw = client(await start());
    raw.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
    await until(() => raw.count(TYPE.PING, ACK) === 1 && raw.count(TYPE.SETTINGS, ACK) === 1);
  });
});
