// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import fc from "fast-check";

import { DEFAULT_LISTENER_LIMITS } from "../../core/traffic/listener-limits.ts";
import { HeaderList } from "../../proxy/transport/contract/header-list.ts";
import type { ServerHandler } from "../../proxy/transport/contract/server.ts";
import { HTTP_TRANSPORT } from "../../proxy/transport/http-transport.ts";
import { NO_TLS, scheduler } from "../../proxy/testing/harness.test.ts";
import {
  ACK,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  nameOf,
  PREFACE,
  RawHttp2Client,
  settings,
  TYPE,
  u32,
} from "./raw-client.ts";

/** Sequences of a run; HTTP2_FUZZ_RUNS overrides it. */
const RUNS = Number(process.env["HTTP2_FUZZ_RUNS"] || 300);
/** A fixed seed, so that only a change of the code makes a run fail. HTTP2_FUZZ_SEED overrides it. */
const SEED = Number(process.env["HTTP2_FUZZ_SEED"] || 20_261_130);
/** How long a server may take for a sequence. A sequence that ends within a frame gets no answer at all. */
const ANSWER_MS = 60;

/** A request as a server's application sees it, by its field `x-id`. */
type Requests = Map<string, string>;

interface Peer {
  readonly port: number;
  /** The complete requests since the last `forget`. */
  readonly complete: Requests;
  close(): void;
}

function described(
  method: string,
  target: string,
  authority: string,
  fields: readonly (readonly [string, string])[],
  body: string,
  trailers: readonly (readonly [string, string])[],
): string {
  const sorted = (pairs: typeof fields): string =>
    pairs
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join("&");
  return [method, target, authority, sorted(fields), body, sorted(trailers)].join(" | ");
}

const listPairs = (headers: HeaderList | undefined): readonly (readonly [string, string])[] => {
  const flat = headers?.flat() ?? [];
  const names = [...new Set(flat.filter((_, index) => index % 2 === 0))].filter(
    (name) => name !== "host" && !name.startsWith(":"),
  );
  return names.map((name) => [name, headers?.get(name) ?? ""] as const);
};

async function nodePeer(): Promise<Peer> {
  const complete: Requests = new Map();
  const server = createServer({ settings: { maxConcurrentStreams: 100, initialWindowSize: 65_536 } });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers, _flags, raw: string[] = []) => {
    stream.on("error", () => {});
    let body = "";
    let trailers = new HeaderList();
    stream.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    stream.on("trailers", (_fields: unknown, _flags: number, received?: string[]) => {
      trailers = new HeaderList(received ?? []);
    });
    stream.on("end", () => {
      if (stream.aborted || stream.rstCode !== 0) return;
      const { ":method": method = "", ":path": path = "", ":authority": authority } = headers;
      const host = authority ?? headers.host ?? "";
      const text = described(method, path, host, listPairs(new HeaderList(raw)), body, listPairs(trailers));
      complete.set(String(headers["x-id"]), text);
      if (stream.destroyed || stream.closed) return;
      stream.respond({ ":status": 200 });
      stream.end("ok");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, complete, close };
}

async function ourPeer(): Promise<Peer> {
  const complete: Requests = new Map();
  const handler: ServerHandler = {
    onStream(stream) {
      stream.events = { onWritable() {}, onIdle() {}, onMalformed() {}, onClose() {} };
      let body = "";
      stream.read({
        onData: (chunk) => void (body += Buffer.from(chunk).toString("latin1")),
        onEnd(trailers) {
          const { method, target, headers } = stream.head;
          const fields = listPairs(headers);
          const text = described(
            method,
            target,
            headers.get("host") ?? "",
            fields,
            body,
            listPairs(trailers),
          );
          complete.set(headers.get("x-id") ?? "undefined", text);
          stream.sendHead({ status: 200, headers: new HeaderList() });
          stream.write(Buffer.from("ok"));
          stream.end();
        },
      });
    },
    onRefused: () => ({ status: 400, headers: new HeaderList(), body: Buffer.from("no") }),
    onConnectionEvent() {},
    onHandshake() {},
    onRaw: () => assert.fail("no raw connection is accepted"),
  };
  const server = HTTP_TRANSPORT.createServer(
    {
      limits: DEFAULT_LISTENER_LIMITS,
      upgradeProtocols: [],
      scheduler,
      newConnectionId: () => "c",
      proxyProtocol: false,
      tls: NO_TLS,
      tlsServers: [],
    },
    handler,
  );
  await server.listen("127.0.0.1", 0);
  const close = (): void => {
    void server.close(0);
    server.cut();
  };
  return { port: server.port ?? 0, complete, close };
}

/** A server's answer to a sequence of frames. */
interface Outcome {
  readonly complete: Requests;
  /** Whether the server ended the connection, or said that it would. */
  readonly isFatal: boolean;
  readonly goaway: string | undefined;
  /** The server's frames, for the message. */
  readonly frames: string;
}

async function outcomeOf(peer: Peer, chunks: readonly Buffer[]): Promise<Outcome> {
  peer.complete.clear();
  const client = new RawHttp2Client(peer.port, Buffer.concat([PREFACE, settings()]));
  for (const chunk of chunks) {
    client.send(chunk);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  client.send(FILLER, frame(TYPE.PING, 0, 0, LAST));
  const isAnswered = (): boolean =>
    client.frames.some(
      ({ type, flags, payload }) => type === TYPE.PING && flags === ACK && payload.equals(LAST),
    );
  const deadlineMs = performance.now() + ANSWER_MS;
  while (!isAnswered() && !client.isClosed && performance.now() < deadlineMs)
    await new Promise((resolve) => void setTimeout(resolve, 1));
  // The application may hear of a request's end a turn later.
  await new Promise((resolve) => void setTimeout(resolve, 2));
  const isFatal = client.isClosed || client.goaway !== undefined;
  client.socket.destroy();
  return {
    complete: new Map(peer.complete),
    isFatal,
    goaway: client.goaway,
    frames: client.frames
      .map((each) => `${nameOf(each)} ${each.streamId} ${each.payload.toString("hex")}`)
      .join(),
  };
}

const LAST = Buffer.from("the end.");
/** Completes a frame whose length was changed: nghttp2 judges a head before its last byte. The rest of it is no frame. */
const FILLER = frame(0x43, 0, 0, Buffer.alloc(16_384));

const text = fc.constantFrom("", "a", "b c", "1", "\xe9", "2");
const strangeText = fc.constantFrom("trailers", "x\0", " a", "a\r\nb");
const name = fc.constantFrom("x-a", "x-b", "cookie", "range");
const strangeName = fc.constantFrom("te", "content-length", "X-A", "connection", "x a", ":path", "host", "");
const field = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(name, text) },
  { weight: 1, arbitrary: fc.tuple(strangeName, fc.oneof(text, strangeText)) },
  { weight: 1, arbitrary: fc.tuple(name, strangeText) },
);
const fields = fc.array(field, { maxLength: 3 });

/** A value in one of `times` cases. */
const seldom = <T>(value: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

/** Choices for one frame. Which stream it is on depends on the frames before it. */
const step = fc.record({
  kind: fc.constantFrom("head", "head", "head", "data", "data", "data", "trailers", "other"),
  /** Which of the open streams. */
  on: fc.nat(5),
  ends: fc.boolean(),
  method: fc.constantFrom("GET", "POST", "POST", "OPTIONS"),
  path: fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom("/", "/a?b") },
    { weight: 1, arbitrary: fc.constantFrom("*", "a", "") },
  ),
  length: seldom(fc.nat(6), 8),
  fields,
  /** The place at which a head is divided into two frames. */
  cut: seldom(fc.nat(30), 4),
  size: fc.nat(6),
  padding: seldom(fc.nat(5), 3),
  other: fc.nat(9),
  /** Seldom: changes one byte of the frame. */
  change: seldom(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })), 25),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The frames of a client that mostly keeps to the rules. */
function framesOf(steps: readonly Step[]): readonly Buffer[] {
  const open: number[] = [];
  let next = 1;
  const take = ({ on, ends }: Step): number => {
    const index = on % open.length;
    const streamId = open[index] as number;
    if (ends) open.splice(index, 1);
    return streamId;
  };
  return steps.map((one) => {
    if (one.kind === "other") return changed(otherFrame(one.other, open[one.on % open.length]), one);
    if (one.kind === "head" || open.length === 0) {
      const streamId = next;
      next += 2;
      if (!one.ends) open.push(streamId);
      return changed(headFrames(streamId, one), one);
    }
    if (one.kind === "data") return changed(dataFrame(take(one), one), one);
    const streamId = take({ ...one, ends: true });
    return changed(
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, streamId, block([["x-t", "1"], ...one.fields])),
      one,
    );
  });
}

function headFrames(streamId: number, one: Step): Buffer {
  const all: (readonly [string, string])[] = [
    [":method", one.method],
    [":scheme", "http"],
    [":authority", "a"],
    [":path", one.path],
    ["x-id", String(streamId)],
    ...one.fields,
  ];
  if (one.length !== undefined) all.push(["content-length", String(one.length)]);
  const bytes = block(all);
  const flags = one.ends ? END_STREAM : 0;
  if (one.cut === undefined) return frame(TYPE.HEADERS, flags | END_HEADERS, streamId, bytes);
  return Buffer.concat([
    frame(TYPE.HEADERS, flags, streamId, bytes.subarray(0, one.cut)),
    frame(TYPE.CONTINUATION, END_HEADERS, streamId, bytes.subarray(one.cut)),
  ]);
}

function dataFrame(streamId: number, { size, ends, padding }: Step): Buffer {
  const content = Buffer.alloc(size, "d");
  const flags = ends ? END_STREAM : 0;
  if (padding === undefined) return frame(TYPE.DATA, flags, streamId, content);
  const payload = Buffer.concat([Buffer.from([padding]), content, Buffer.alloc(padding)]);
  return frame(TYPE.DATA, flags | PADDED, streamId, payload);
}

const PADDED = 8;

function otherFrame(which: number, streamId: number | undefined): Buffer {
  if (streamId === undefined) return frame(TYPE.WINDOW_UPDATE, 0, 0, u32(which + 1));
  switch (which) {
    case 0:
      return frame(TYPE.RST_STREAM, 0, streamId, u32(8));
    case 1:
      return frame(TYPE.WINDOW_UPDATE, 0, streamId, u32(1_000));
    case 2:
      return settings([[1, 0]]);
    case 3:
      return settings([[4, 10]]);
    case 4:
      return settings([[4, 100_000]]);
    case 5:
      return settings([
        [5, 20_000],
        [77, 1],
      ]);
    case 6:
      return frame(TYPE.PRIORITY, 0, streamId, Buffer.from([0, 0, 0, 0, 7]));
    case 7:
      return frame(0x42, 0xff, streamId, Buffer.from("unknown"));
    default:
      return frame(TYPE.PING, 0, 0, Buffer.alloc(8));
  }
}

function changed(bytes: Buffer, { change }: Step): Buffer {
  if (change === undefined) return bytes;
  const [at, mask] = change;
  const copy = Buffer.from(bytes);
  const place = at % copy.length;
  copy[place] = (copy[place] as number) ^ mask;
  return copy;
}

const sequence = fc.tuple(fc.array(step, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 400 }));

function divided(bytes: Buffer, size: number): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += size) chunks.push(bytes.subarray(from, from + size));
  return chunks;
}

describe("random frames of HTTP/2", function () {
  this.timeout(60_000 + RUNS * 200);
  let node: Peer;
  let ours: Peer;

  before(async () => {
    node = await nodePeer();
    ours = await ourPeer();
  });
  after(() => {
    node.close();
    ours.close();
  });

  it("are no request for ours that they are not for Node, and end ours wherever they end Node", async () => {
    let requests = 0;
    let fatal = 0;
    await fc.assert(
      fc.asyncProperty(sequence, async ([steps, size]) => {
        const bytes = divided(Buffer.concat(framesOf(steps)), size);
        const [one, other] = await Promise.all([outcomeOf(ours, bytes), outcomeOf(node, bytes)]);
        requests += one.complete.size;
        // Node fails by itself on some sequences: on an empty HEADERS frame before a malformed head, for one.
        if (other.goaway === "INTERNAL_ERROR") return;
        if (other.isFatal) fatal++;
        assert.ok(
          one.isFatal || !other.isFatal,
          `Node ended the connection, and ours did not: ${one.frames} | ${other.frames}`,
        );
        if (!other.isFatal)
          for (const [key, request] of one.complete) assert.equal(request, other.complete.get(key));
      }),
      { numRuns: RUNS, seed: SEED },
    );
    console.log(`      ${RUNS} sequences, ${requests} requests, ${fatal} ended by Node`);
    assert.ok(requests > RUNS / 4, "most sequences have no request");
  });
});
