// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";

import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  refusal,
  EDGE,
  endpointAt,
  forwardTo,
  groupOf,
  httpUpstream,
  later,
  onCleanup,
  type Rig,
  routeOf,
  startProxy,
  startWith,
  until,
} from "../testing/harness.test.ts";

const CANCEL = 8;

/** An upstream of HTTP/2, handled stream by stream. */
async function http2Upstream(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings: { readonly enableConnectProtocol?: boolean; readonly maxConcurrentStreams?: number } = {},
): Promise<{ readonly port: number; readonly sessions: ServerHttp2Session[] }> {
  const server = createServer({ settings });
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    onStream(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => {
    for (const session of sessions) session.destroy();
    return new Promise((resolve) => server.close(() => resolve(undefined)));
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

type Settings = Parameters<typeof clusterOf>[1];

/** A proxy in front of an upstream of HTTP/2. */
function proxyTo(
  port: number,
  cluster: Settings = {},
  options: Parameters<typeof startProxy>[1] = {},
): Promise<Rig> {
  return startProxy(
    configOf({ clusters: [clusterOf([endpointAt(port)], { protocol: "http2", ...cluster })] }),
    options,
  );
}

function client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  onCleanup(() => session.destroy());
  return session;
}

/** Everything that came on a client's stream. */
class Seen {
  readonly stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  endsWithHead = false;
  trailers: IncomingHttpHeaders = {};
  body = "";
  isClosed = false;

  constructor(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string) {
    this.stream = session.request(headers, { endStream: body === undefined });
    this.stream.on("response", (received, flags) => {
      this.headers = received;
      this.endsWithHead = (flags & 1) !== 0;
    });
    this.stream.on("trailers", (trailers: IncomingHttpHeaders) => (this.trailers = trailers));
    this.stream.on("data", (chunk: Buffer) => (this.body += chunk.toString()));
    this.stream.on("error", () => {});
    this.stream.on("close", () => (this.isClosed = true));
    if (body !== undefined) this.stream.write(body);
  }

  async over(): Promise<this> {
    await until(() => this.isClosed);
    return this;
  }
}

const POST = { ":method": "POST", ":path": "/" };

describe("HTTP/2 through the proxy", () => {
  afterEach(cleanUp);

  it("joins the parts of a cookie, keeps te: trailers, and drops no other field", async () => {
    let seen: IncomingHttpHeaders = {};
    const upstream = await http2Upstream((stream, headers) => {
      seen = headers;
      stream.respond({ ":status": 200, "set-cookie": ["a=1", "b=2"] }, { endStream: true });
    });
    const { port } = await proxyTo(upstream.port);
    const fields = {
      ":path": "/a?b",
      ":authority": "shop.example",
      cookie: ["a=1", "b=2"],
      te: "trailers",
      "x-a": "1",
    };
    const reply = await new Seen(client(port), fields).over();
    assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
    assert.deepEqual(
      [
        seen[":path"],
        seen[":authority"],
        seen[":scheme"],
        seen["cookie"],
        seen["te"],
        seen["x-a"],
        seen["host"],
      ],
      ["/a?b", "shop.example", "http", "a=1; b=2", "trailers", "1", undefined],
    );
  });

  it("streams both ways at the same time, with trailers both ways", async () => {
    const upstream = await http2Upstream((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      let trailers = "";
      stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = String(received["x-sum"])));
      stream.on("data", (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
      stream.on("end", () => stream.end());
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-echo": trailers }));
    });
    const { port, policy } = await proxyTo(upstream.port);
    const session = client(port);
    const stream = session.request(POST, { waitForTrailers: true });
    const received: string[] = [];
    let trailers: IncomingHttpHeaders = {};
    stream.on("data", (chunk: Buffer) => received.push(chunk.toString()));
    stream.on("trailers", (fields: IncomingHttpHeaders) => (trailers = fields));
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
    for (const part of ["a", "b", "c"]) {
      stream.write(part);
      await until(() => received.join("").endsWith(`<${part}>`));
    }
    stream.end();
    await until(() => stream.closed);
    assert.equal(trailers["grpc-status"], "0");
    assert.equal(trailers["x-echo"], "7");
    await until(() => policy.reports.length === 1);
  });

  it("sends the announced trailers of a request with a declared length, on a route with retries", async () => {
    let sum: unknown;
    const upstream = await http2Upstream((stream) => {
      stream.on("trailers", (received: IncomingHttpHeaders) => (sum = received["x-sum"]));
      stream.resume().on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
    });
    const cluster = clusterOf([endpointAt(upstream.port)], { protocol: "http2" });
    const { retry } = forwardTo(cluster.name);
    const action = forwardTo(cluster.name, { retry: { ...retry, retries: 2 } });
    const { port } = await startProxy(configOf({ clusters: [cluster], routes: [routeOf(action)] }));
    const stream = client(port).request(
      { ...POST, "content-length": "1", trailer: "x-sum" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
    stream.resume().end("a");
    await until(() => stream.closed);
    assert.equal(sum, "7");
  });

  it("ends a response without a body with its head, so that a gRPC client sees a status there", async () => {
    const upstream = await http2Upstream((stream) => {
      stream.respond({ ":status": 200, "grpc-status": "5" }, { endStream: true });
    });
    const { port, policy } = await proxyTo(upstream.port);
    const session = client(port);
    const forwarded = await new Seen(session, POST).over();
    assert.deepEqual([forwarded.endsWithHead, forwarded.headers["grpc-status"]], [true, "5"]);
    policy.decide = () => refusal("no");
    const denied = await new Seen(session, { ...POST, "content-type": "application/grpc" }, "x").over();
    assert.deepEqual([denied.endsWithHead, denied.headers["grpc-status"]], [true, "7"]);
    assert.ok(denied.headers["grpc-status-details-bin"]);
  });

  it("answers a gRPC client's failed call by a gRPC status, and a call past its own deadline, too", async () => {
    const upstream = await http2Upstream((stream) => void stream.resume());
    const { port, policy } = await proxyTo(upstream.port);
    const grpc = { ...POST, "content-type": "application/grpc", "grpc-timeout": "60m" };
    const late = await new Seen(client(port), grpc).over();
    assert.deepEqual([late.headers[":status"], late.headers["grpc-status"]], [200, "4"]);
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "UT");
    const away = await proxyTo(1);
    const failed = await new Seen(client(away.port), grpc).over();
    assert.deepEqual([failed.headers[":status"], failed.headers["grpc-status"]], [200, "14"]);
  });

  it("passes a client's cancellation on", async () => {
    let code: number | undefined;
    const upstream = await http2Upstream((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("first");
      stream.on("close", () => (code = stream.rstCode));
    });
    const { port, policy } = await proxyTo(upstream.port);
    const seen = new Seen(client(port), POST);
    await until(() => seen.body === "first");
    seen.stream.close(CANCEL);
    await until(() => code === CANCEL && policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "DC");
    // The connection lives on.
    const { sessions } = upstream;
    assert.equal(sessions.length, 1);
    assert.equal(sessions[0]?.destroyed, false);
  });

  it("resets a response that the upstream resets, and keeps both connections", async () => {
    const upstream = await http2Upstream((stream) => {
      // Without this, Node ends the stream before it resets it.
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.write("half");
      setTimeout(() => stream.close(2), 20);
    });
    const { port, policy } = await proxyTo(upstream.port);
    const session = client(port);
    const broken = await new Seen(session, POST).over();
    assert.deepEqual([broken.body, broken.stream.rstCode], ["half", 2]);
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "UC");
    assert.equal(session.destroyed, false);
    assert.equal(upstream.sessions.length, 1);
  });

  it("sends a refused stream again, and a POST too", async () => {
    let streams = 0;
    const upstream = await http2Upstream((stream) => {
      if (++streams === 1) stream.close(7);
      else stream.respond({ ":status": 200 }, { endStream: true });
    });
    const cluster = clusterOf([endpointAt(upstream.port)], { protocol: "http2" });
    const retry = { retries: 1, on: ["refused-stream"] as const, onStatuses: [], idempotentOnly: true };
    const times = { perTryTimeoutMs: 0, backoffBaseMs: 1, backoffMaxMs: 1 };
    const { port } = await startProxy(
      configOf({
        clusters: [cluster],
        routes: [routeOf(forwardTo(cluster.name, { retry: { ...retry, ...times } }))],
      }),
    );
    const reply = await new Seen(client(port), POST).over();
    assert.equal(reply.headers[":status"], 200);
    assert.equal(streams, 2);
  });

  it("opens a new connection after GOAWAY, and finishes the requests on the old one", async () => {
    const held: ServerHttp2Stream[] = [];
    const upstream = await http2Upstream((stream, headers) => {
      if (headers[":path"] === "/slow") held.push(stream);
      else stream.respond({ ":status": 200 }, { endStream: true });
    });
    const { port } = await proxyTo(upstream.port);
    const session = client(port);
    const slow = new Seen(session, { ":path": "/slow" });
    await until(() => held.length === 1);
    upstream.sessions[0]?.goaway(0);
    await later(30);
    assert.equal((await new Seen(session, { ":path": "/" }).over()).headers[":status"], 200);
    assert.equal(upstream.sessions.length, 2);
    held[0]?.respond({ ":status": 200 });
    held[0]?.end("late");
    assert.equal((await slow.over()).body, "late");
  });

  it("opens connections as the upstream's limit of streams says", async () => {
    const held: ServerHttp2Stream[] = [];
    const upstream = await http2Upstream((stream) => void held.push(stream), { maxConcurrentStreams: 2 });
    const { port } = await proxyTo(upstream.port, { maxConnectionsPerEndpoint: 2 });
    const session = client(port);
    const first = new Seen(session, { ":path": "/" });
    await until(() => held.length === 1);
    const others = [1, 2, 3, 4].map(() => new Seen(session, { ":path": "/" }));
    await until(() => held.length === 4);
    assert.equal(upstream.sessions.length, 2);
    await later(50);
    assert.equal(held.length, 4);
    for (let index = 0; index < 5; index++) {
      await until(() => held.length > index);
      held[index]?.respond({ ":status": 200 }, { endStream: true });
    }
    for (const seen of [first, ...others]) assert.equal((await seen.over()).headers[":status"], 200);
  });

  it("retires a connection after its number of requests", async () => {
    const upstream = await http2Upstream((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const { port } = await proxyTo(upstream.port, { maxRequestsPerConnection: 2 });
    for (let index = 0; index < 5; index++) assert.equal((await call(port)).status, 200);
    assert.equal(upstream.sessions.length, 3);
    await until(() => upstream.sessions.filter(({ destroyed }) => !destroyed).length === 1);
  });

  it("waits with either side that does not read", async () => {
    const size = 8 * 1024 * 1024;
    let sent = 0;
    const upstream = await http2Upstream((stream) => {
      stream.respond({ ":status": 200 });
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (sent < size) {
          sent += chunk.length;
          if (!stream.write(chunk)) return void stream.once("drain", more);
        }
        stream.end();
      };
      more();
    });
    const { port } = await proxyTo(upstream.port);
    const stream = client(port).request({ ":path": "/" });
    stream.on("error", () => {});
    await new Promise((resolve) => stream.once("response", resolve));
    await later(200);
    assert.ok(sent < size / 4, String(sent));
    let received = 0;
    stream.on("data", (chunk: Buffer) => (received += chunk.length));
    await until(() => received === size);
  });

  it("tells clients of a drain twice, and finishes the requests under way", async () => {
    const { port, proxy } = await startWith(
      (_incoming, outgoing) => void setTimeout(() => outgoing.end("done"), 300),
    );
    const session = client(port);
    const lastIds: number[] = [];
    session.on("goaway", (_code: number, lastId: number) => lastIds.push(lastId));
    const seen = new Seen(session, { ":path": "/" });
    await later(50);
    const drained = proxy.drain(3_000);
    assert.equal((await seen.over()).body, "done");
    await drained;
    assert.deepEqual(lastIds, [2 ** 31 - 1, 1]);
  });

  it("ends a stream whose client opens no window, and keeps the connection", async () => {
    const { port, policy } = await startWith(
      (_incoming, outgoing) => void outgoing.end(Buffer.alloc(1 << 20)),
      {
        listener: { limits: { ...EDGE.limits, streamIdleMs: 200 } },
      },
    );
    const session = client(port);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => {});
    stream.pause();
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "SI");
    assert.equal(
      (await new Seen(session, { ":method": "HEAD", ":path": "/" }).over()).headers[":status"],
      200,
    );
  });

  it("carries a WebSocket to an upstream of HTTP/1.1 and of HTTP/2, with a handshake only where there is one", async () => {
    const keys: unknown[] = [];
    const one = await httpUpstream(() => {});
    one.server.on("upgrade", (incoming, socket) => {
      keys.push(incoming.headers["sec-websocket-key"]);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n");
      socket.write("sec-websocket-accept: x\r\n\r\n");
      socket.on("data", (chunk: Buffer) => socket.write(`<${chunk.toString()}>`));
      socket.on("end", () => socket.end());
    });
    const two = await http2Upstream(
      (stream, headers) => {
        keys.push(headers["sec-websocket-key"], headers[":protocol"]);
        stream.respond({ ":status": 200 });
        stream.on("data", (chunk: Buffer) => stream.write(`<${chunk.toString()}>`));
        stream.on("end", () => stream.end());
      },
      { enableConnectProtocol: true },
    );
    for (const rig of [
      await startProxy(configOf({ clusters: [clusterOf([endpointAt(one.port)])] })),
      await proxyTo(two.port),
    ]) {
      const session = client(rig.port);
      await new Promise((resolve) => session.once("remoteSettings", resolve));
      const fields = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/", ":scheme": "http" };
      const seen = new Seen(session, { ...fields, ":authority": "a", "sec-websocket-version": "13" }, "ping");
      await until(() => seen.body === "<ping>");
      assert.deepEqual([seen.headers[":status"], seen.headers["sec-websocket-accept"]], [200, undefined]);
      seen.stream.end("bye");
      await seen.over();
      assert.equal(seen.body, "<ping><bye>");
      await until(() => rig.policy.reports.length === 1);
    }
    assert.match(String(keys[0]), /^[A-Za-z0-9+/]{22}==$/);
    assert.deepEqual(keys.slice(1), [undefined, "websocket"]);
  });
});
