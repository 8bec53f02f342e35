// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Socket } from "node:net";

import {
  callHttp1,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  groupOf,
  onCleanup,
  type Rig,
  startProxy,
  tcpUpstream,
  until,
} from "../../proxy/testing/harness.test.ts";
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
  RawHttp2Client,
  request,
  settings,
  TYPE,
  u32,
} from "./raw-client.ts";

/** SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441, section 3). */
const TAKES_CONNECT = [8, 1] as const;

/** The beginning of each response's body. */
const FIRST = Buffer.from("first");

/** An upstream that takes requests and answers nothing by itself: the test writes its frames. */
class RawUpstream {
  readonly reader = new FrameReader();
  #socket: Socket | undefined;
  #skip = PREFACE.length;

  async listen(): Promise<number> {
    const { port } = await tcpUpstream((socket) => {
      this.#socket = socket;
      socket.write(Buffer.concat([settings([TAKES_CONNECT]), frame(TYPE.SETTINGS, ACK, 0)]));
      socket.on("data", (chunk: Buffer) => {
        this.reader.add(chunk.subarray(Math.min(this.#skip, chunk.length)));
        this.#skip -= Math.min(this.#skip, chunk.length);
      });
    });
    return port;
  }

  /** Waits for the request of the first stream. */
  async request(): Promise<void> {
    await until(() => this.reader.frames.some(({ type }) => type === TYPE.HEADERS));
  }

  /** Begins a response. */
  respond(...fields: readonly (readonly [string, string])[]): void {
    const head = frame(TYPE.HEADERS, END_HEADERS, 1, block([[":status", "200"], ...fields]));
    this.#socket?.write(Buffer.concat([head, frame(TYPE.DATA, 0, 1, FIRST)]));
  }

  /** Sends a whole response and a reset in the same write. */
  respondAndReset(code: number): void {
    const head = frame(TYPE.HEADERS, END_HEADERS, 1, block([[":status", "200"]]));
    const reset = frame(TYPE.RST_STREAM, 0, 1, u32(code));
    this.#socket?.write(Buffer.concat([head, frame(TYPE.DATA, END_STREAM, 1, FIRST), reset]));
  }

  reset(code: number): void {
    this.#socket?.write(frame(TYPE.RST_STREAM, 0, 1, u32(code)));
  }

  /** Whether the proxy said that the request is complete. */
  get hasWholeRequest(): boolean {
    return this.reader.frames.some(
      ({ type, flags }) => (type === TYPE.DATA || type === TYPE.HEADERS) && (flags & END_STREAM) !== 0,
    );
  }

  /** The proxy's resets. */
  get resets(): readonly string[] {
    return this.reader.frames.filter(({ type }) => type === TYPE.RST_STREAM).map((each) => nameOf(each));
  }
}

async function start(): Promise<{ readonly rig: Rig; readonly upstream: RawUpstream }> {
  const upstream = new RawUpstream();
  const endpoints = [endpointAt(await upstream.listen())];
  const rig = await startProxy(configOf({ clusters: [clusterOf(endpoints, { protocol: "http2" })] }));
  return { rig, upstream };
}

function client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  onCleanup(() => session.destroy());
  return session;
}

/** Waits for the first bytes of a response. */
async function first(stream: ClientHttp2Stream): Promise<void> {
  stream.on("error", () => {});
  let body = "";
  stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
  await until(() => body === "first");
}

function rawClient(port: number): RawHttp2Client {
  const raw = new RawHttp2Client(port);
  onCleanup(() => void raw.socket.destroy());
  return raw;
}

const GET = { ":path": "/" };
const POST = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "a"],
] as const;
const CONNECT = {
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":scheme": "http",
  ":path": "/",
  ":authority": "a",
  "sec-websocket-version": "13",
};

/** The codes that a client gets for an upstream's; INTERNAL_ERROR for all others. */
const PASSED: readonly string[] = ["CANCEL", "CONNECT_ERROR", "ENHANCE_YOUR_CALM"];

describe("a reset of HTTP/2 within a response", () => {
  afterEach(cleanUp);

  for (const [code, name] of CODES.entries()) {
    const expected = PASSED.includes(name) ? name : "INTERNAL_ERROR";
    it(`by the upstream with ${name} is ${expected} for the client`, async () => {
      const { rig, upstream } = await start();
      const stream = client(rig.port).request(GET);
      await upstream.request();
      upstream.respond();
      await first(stream);
      upstream.reset(code);
      await until(() => stream.closed);
      assert.equal(CODES[stream.rstCode ?? 0], expected);
      await until(() => rig.policy.reports.length === 1);
      assert.equal(groupOf(rig.policy.reports, "response")["flags"], "UC");
      assert.equal(
        groupOf(rig.policy.reports, "response")["code_details"],
        "upstream_reset_after_response_started",
      );
    });
  }

  for (const name of ["CANCEL", "CONNECT_ERROR"])
    it(`by the upstream with ${name} ends a tunnel with ${name}`, async () => {
      const { rig, upstream } = await start();
      const session = client(rig.port);
      await new Promise((resolve) => session.once("remoteSettings", resolve));
      const stream = session.request(CONNECT, { endStream: false });
      await upstream.request();
      upstream.respond();
      await first(stream);
      upstream.reset(CODES.indexOf(name));
      await until(() => stream.closed);
      assert.equal(CODES[stream.rstCode ?? 0], name);
    });

  it("cuts the connection of a client of HTTP/1.1, whatever its code", async () => {
    for (const name of ["CANCEL", "ENHANCE_YOUR_CALM", "INTERNAL_ERROR"]) {
      const { rig, upstream } = await start();
      const reply = assert.rejects(callHttp1(rig.port), { code: "ECONNRESET" });
      await upstream.request();
      upstream.respond();
      upstream.reset(CODES.indexOf(name));
      await reply;
    }
  });

  for (const [code, name] of CODES.entries())
    it(`by the client with ${name} cancels the upstream's stream`, async () => {
      const { rig, upstream } = await start();
      const raw = rawClient(rig.port);
      raw.send(request(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, Buffer.from("half")));
      await upstream.request();
      upstream.respond();
      await until(() => raw.count(TYPE.DATA) === 1);
      raw.send(frame(TYPE.RST_STREAM, 0, 1, u32(code)));
      await until(() => upstream.resets.length === 1);
      assert.deepEqual([upstream.resets, upstream.hasWholeRequest], [["RST_STREAM CANCEL"], false]);
      await until(() => rig.policy.reports.length === 1);
      assert.equal(groupOf(rig.policy.reports, "response")["flags"], "DC");
    });
});

describe("a reset of HTTP/2 after a response", () => {
  afterEach(cleanUp);

  // RFC 9113, section 8.1: a server that has answered may ask for the rest of the request not to be sent.
  for (const name of ["NO_ERROR", "CANCEL"])
    it(`by the upstream with ${name} leaves the response whole, however much of the request is missing`, async () => {
      const { rig, upstream } = await start();
      const stream = client(rig.port).request({ ":method": "POST", ":path": "/" }, { endStream: false });
      await upstream.request();
      upstream.respondAndReset(CODES.indexOf(name));
      await first(stream);
      await until(() => stream.closed);
      assert.equal(stream.rstCode, 0);
      await until(() => rig.policy.reports.length === 1);
      assert.equal(groupOf(rig.policy.reports, "response")["code_details"], "via_upstream");
    });
});

describe("a reset of HTTP/2 before a response", () => {
  afterEach(cleanUp);

  for (const [code, name] of CODES.entries()) {
    const expected = name === "PROTOCOL_ERROR" ? 502 : 503;
    it(`by the upstream with ${name} is a reply with ${expected}, and the stream ends as it should`, async () => {
      const { rig, upstream } = await start();
      const stream = client(rig.port).request(GET);
      let status: unknown;
      stream.on("response", (headers) => (status = headers[":status"]));
      stream.resume();
      await upstream.request();
      upstream.reset(code);
      await until(() => stream.closed);
      assert.deepEqual([status, stream.rstCode], [expected, 0]);
    });
  }

  for (const [code, name] of CODES.entries())
    it(`by the client with ${name} cancels the upstream's stream`, async () => {
      const { rig, upstream } = await start();
      const raw = rawClient(rig.port);
      raw.send(request(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, Buffer.from("half")));
      await upstream.request();
      raw.send(frame(TYPE.RST_STREAM, 0, 1, u32(code)));
      await until(() => upstream.resets.length === 1);
      assert.deepEqual([upstream.resets, upstream.hasWholeRequest], [["RST_STREAM CANCEL"], false]);
    });

  it("by the end of the client's connection cancels the upstream's stream", async () => {
    const { rig, upstream } = await start();
    const raw = rawClient(rig.port);
    raw.send(request(1, POST, END_HEADERS), frame(TYPE.DATA, 0, 1, Buffer.from("half")));
    await upstream.request();
    raw.socket.destroy();
    await until(() => upstream.resets.length === 1);
    assert.deepEqual([upstream.resets, upstream.hasWholeRequest], [["RST_STREAM CANCEL"], false]);
  });
});
