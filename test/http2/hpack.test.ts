// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";

import { ByteWriter } from "../../proxy/transport/http2/hpack/byte-writer.ts";
import { HpackDecoder } from "../../proxy/transport/http2/hpack/hpack-decoder.ts";
import { HpackEncoder } from "../../proxy/transport/http2/hpack/hpack-encoder.ts";
import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  onCleanup,
  startProxy,
  tcpUpstream,
  until,
} from "../../proxy/testing/harness.test.ts";
import {
  ACK,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameReader,
  GET,
  PREFACE,
  RawHttp2Client,
  settings,
  TYPE,
} from "./raw-client.ts";

const SETTINGS_HEADER_TABLE_SIZE = 1;
const REQUESTS = 200;
const SEED = 20_261_129;

type Field = readonly [name: string, value: string, isNeverIndexed: boolean];

/** Numbers from 0 on, less than `below` (Park and Miller's minimal standard generator). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const random = randomOf(SEED);

/** Any bytes that both sides take in a value; no whitespace at its ends, which nghttp2 strips. */
function drawValue(): string {
  if (random(3) === 0)
    return ["application/json", "gzip, deflate", "a", "acme", "x".repeat(700)][random(5)] as string;
  let value = "";
  for (let length = 1 + random(30); length > 0; length--) {
    const code = 0x21 + random(0xdf);
    if (code !== 0x7f) value += String.fromCharCode(code);
  }
  return value;
}

/** Different names: Node joins values of one name. */
function drawFields(): Field[] {
  const names = [
    "accept",
    "x-tenant",
    "x-request-id",
    "x-other",
    "user-agent",
    "authorization",
    `x-${random(60)}`,
  ];
  return names
    .filter(() => random(3) > 0)
    .map((name) => [name, drawValue(), name === "authorization" || random(10) === 0]);
}

/** Decodes the blocks of the HEADERS and CONTINUATION frames. */
function decodeAll(reader: FrameReader): Field[][] {
  const decoder = new HpackDecoder();
  const messages: Field[][] = [];
  let block = Buffer.alloc(0);
  for (const { type, flags, payload } of reader.frames) {
    if (type !== TYPE.HEADERS && type !== TYPE.CONTINUATION) continue;
    // Node writes no padding and, for a request without options, no priority.
    assert.equal(flags & 0x28, 0);
    block = Buffer.concat([block, payload]);
    if ((flags & END_HEADERS) === 0) continue;
    const fields: Field[] = [];
    const sink = { isFull: false, onField: (...field: Field) => void fields.push(field) };
    assert.equal(decoder.decode(block, 0, block.length, sink), undefined);
    messages.push(fields);
    block = Buffer.alloc(0);
  }
  return messages;
}

describe("HPACK with nghttp2, which Node uses", () => {
  afterEach(cleanUp);

  it("decodes what a client of Node sends, with tables that the server resizes", async () => {
    const reader = new FrameReader();
    let socket: Socket | undefined;
    const server = createTcpServer((accepted) => {
      socket = accepted;
      let skip = PREFACE.length;
      accepted.on("error", () => {});
      accepted.write(Buffer.concat([settings([[3, 1_000_000]]), frame(TYPE.SETTINGS, ACK, 0)]));
      accepted.on("data", (chunk: Buffer) => {
        reader.add(chunk.subarray(Math.min(skip, chunk.length)));
        skip -= Math.min(skip, chunk.length);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanup(() => void server.close());
    const session: ClientHttp2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on("error", () => {});
    onCleanup(() => session.destroy());
    const sent: Field[][] = [];
    for (let at = 0; at < REQUESTS; at++) {
      const fields = drawFields();
      sent.push(fields);
      const headers: OutgoingHttpHeaders = Object.fromEntries(fields);
      headers[sensitiveHeaders as unknown as string] = fields.filter((each) => each[2]).map(([name]) => name);
      session.request(headers, { endStream: true }).on("error", () => {});
      await until(() => reader.frames.filter(({ type }) => type === TYPE.HEADERS).length === sent.length);
      if (at % 20 === 0) {
        const bytes = [0, 100, 1_000, 4_096][random(4)] as number;
        socket?.write(settings([[SETTINGS_HEADER_TABLE_SIZE, bytes]]));
        const acks = reader.frames.filter(
          ({ type, flags }) => type === TYPE.SETTINGS && flags === ACK,
        ).length;
        await until(
          () =>
            reader.frames.filter(({ type, flags }) => type === TYPE.SETTINGS && flags === ACK).length > acks,
        );
      }
    }
    const received = decodeAll(reader).map((fields) => fields.filter(([name]) => !name.startsWith(":")));
    assert.deepEqual(received, sent);
  });

  it("is decoded by a server of Node, with tables that the server resizes", async () => {
    const received: Field[][] = [];
    let session: ServerHttp2Session | undefined;
    const server = createServer({ settings: { headerTableSize: 100 } });
    server.on("session", (opened) => (session = opened));
    server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        const never = (headers as Readonly<Record<symbol, readonly string[]>>)[sensitiveHeaders] ?? [];
        const fields: Field[] = [];
        for (let at = 0; at < raw.length; at += 2) {
          const name = raw[at] as string;
          if (!name.startsWith(":")) fields.push([name, raw[at + 1] as string, never.includes(name)]);
        }
        received.push(fields);
        stream.on("error", () => {});
        stream.close();
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanup(() => void server.close());
    const client = new RawHttp2Client((server.address() as AddressInfo).port);
    onCleanup(() => void client.socket.destroy());
    const isSettings = ({ type, flags }: { type: number; flags: number }): boolean =>
      type === TYPE.SETTINGS && flags === 0;
    const encoder = new HpackEncoder();
    let settingsRead = 0;
    const readSettings = (): void => {
      for (const { payload } of client.frames.filter(isSettings).slice(settingsRead)) {
        settingsRead++;
        client.send(frame(TYPE.SETTINGS, ACK, 0));
        for (let at = 0; at < payload.length; at += 6)
          if (payload.readUInt16BE(at) === SETTINGS_HEADER_TABLE_SIZE)
            encoder.setMaxTableBytes(payload.readUInt32BE(at + 2));
      }
    };
    const sent: Field[][] = [];
    await until(() => client.frames.some(isSettings));
    for (let at = 0; at < REQUESTS; at++) {
      readSettings();
      const fields = drawFields();
      const target = new ByteWriter();
      encoder.beginBlock(target);
      const head = [":method", "GET", ":scheme", "http", ":path", `/${random(5)}`, ":authority", "a"];
      for (let index = 0; index < head.length; index += 2)
        encoder.encode(head[index] as string, head[index + 1] as string);
      for (const [name, value, isNever] of fields) encoder.encode(name, value, isNever);
      client.send(
        frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 2 * at + 1, target.bytes.subarray(0, target.length)),
      );
      sent.push(fields);
      await until(() => received.length === sent.length);
      if (at % 20 === 0) {
        session?.settings({ headerTableSize: [0, 100, 1_000, 4_096, 100_000][random(5)] as number });
        await until(() => client.frames.filter(isSettings).length > settingsRead);
      }
    }
    assert.deepEqual(received, sent);
    assert.equal(client.goaway, undefined);
  });
});

/** A literal that is never indexed (RFC 7541, section 6.2.3), with a new name; both are shorter than 127 bytes. */
function neverIndexed(name: string, value: string): Buffer {
  return Buffer.from(
    `\u0010${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
    "latin1",
  );
}

describe("a never-indexed field", () => {
  afterEach(cleanUp);

  it("stays one on its way to the upstream and back, in heads and in trailers", async () => {
    const upstream = new FrameReader();
    const { port } = await tcpUpstream((socket) => {
      let skip = PREFACE.length;
      socket.write(settings());
      socket.on("data", (chunk: Buffer) => {
        upstream.add(chunk.subarray(Math.min(skip, chunk.length)));
        skip -= Math.min(skip, chunk.length);
        const ended = upstream.frames.filter(
          ({ type, flags }) => type === TYPE.HEADERS && (flags & END_STREAM) !== 0,
        );
        if (ended.length === 0) return;
        const head = Buffer.concat([
          block([
            [":status", "200"],
            ["x-open", "a"],
          ]),
          neverIndexed("x-key", "b"),
        ]);
        socket.write(
          Buffer.concat([
            frame(TYPE.HEADERS, END_HEADERS, 1, head),
            frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, neverIndexed("x-sum", "c")),
          ]),
        );
      });
    });
    const rig = await startProxy(
      configOf({ clusters: [clusterOf([endpointAt(port)], { protocol: "http2" })] }),
    );
    const client = new RawHttp2Client(rig.port);
    onCleanup(() => void client.socket.destroy());
    const head = Buffer.concat([block([...GET, ["x-open", "a"]]), neverIndexed("x-key", "b")]);
    client.send(
      frame(TYPE.HEADERS, END_HEADERS, 1, head),
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, neverIndexed("x-sum", "c")),
    );
    await until(() => client.isAnswered(1));
    const responses = new FrameReader();
    responses.frames.push(...client.frames);
    const expected = [
      ["x-open", "a", false],
      ["x-key", "b", true],
      ["x-sum", "c", true],
    ];
    for (const reader of [upstream, responses]) {
      const fields = decodeAll(reader).flat();
      assert.deepEqual(
        fields.filter(([name]) => ["x-open", "x-key", "x-sum"].includes(name)),
        expected,
      );
    }
  });
});
