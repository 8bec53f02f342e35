// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

import {
  ALLOW,
  call,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  forwardTo,
  groupOf,
  httpUpstream,
  later,
  onCleanup,
  raw,
  type Rig,
  routeOf,
  startProxy,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import { describeHttp1 } from "../testing/transports.test.ts";
import type { ProxyOptions } from "../proxy.ts";

/** The Sec-WebSocket-Accept value for a client's key (RFC 6455, section 1.3). */
const acceptOf = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const HANDSHAKE =
  "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n" +
  `sec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n\r\n`;

/** A masked text frame, as a client sends it (RFC 6455, section 5.2). */
function frame(text: string): Buffer {
  const mask = randomBytes(4);
  const payload = Buffer.from(text).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]);
}

/** A WebSocket server that echoes frames byte by byte, and records the requests. */
async function echoServer(): Promise<{ port: number; sockets: Socket[]; asked: Record<string, unknown>[] }> {
  const sockets: Socket[] = [];
  const asked: Record<string, unknown>[] = [];
  const { port, server } = await httpUpstream((_incoming, outgoing) =>
    outgoing.writeHead(426).end("upgrade"),
  );
  server.on("upgrade", (incoming, duplex, first: Buffer) => {
    const socket = duplex as Socket;
    sockets.push(socket);
    asked.push(incoming.headers);
    socket.on("error", () => {});
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
        `sec-websocket-accept: ${acceptOf(incoming.headers["sec-websocket-key"] ?? "")}\r\n\r\n`,
    );
    socket.write(first);
    socket.pipe(socket);
  });
  onCleanup(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, sockets, asked };
}

async function start(
  port: number,
  options: Partial<ProxyOptions> = {},
  more: Parameters<typeof forwardTo>[1] = {},
): Promise<Rig> {
  const cluster = clusterOf([endpointAt(port)], { maxRequests: 2 });
  const routes = [routeOf(forwardTo(cluster.name, more))];
  return startProxy(configOf({ clusters: [cluster], routes }), {
    admin: { host: "127.0.0.1", port: 0 },
    ...options,
  });
}

class Client {
  readonly socket: Socket;
  closed = false;
  readonly #chunks: Buffer[] = [];

  constructor(port: number, parts: readonly (string | Buffer)[]) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => void this.#chunks.push(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.closed = true));
    for (const part of parts) this.socket.write(part);
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function dial(port: number, ...parts: readonly (string | Buffer)[]): Client {
  const client = new Client(port, parts);
  onCleanup(() => void client.socket.destroy());
  return client;
}

const hasBytes = (client: Client, bytes: Buffer | string): Promise<void> =>
  until(() => client.received.includes(bytes));

const metrics = async ({ proxy }: Rig): Promise<string> =>
  (await call(proxy.addresses().admin?.port ?? 0, { path: "/stats/prometheus" })).body;

describeHttp1("upgrades", () => {
  afterEach(cleanUp);

  it("shake hands and carry frames both ways, decided like any request, counted and reported", async () => {
    const { port, asked } = await echoServer();
    const rig = await start(port);
    const [hello, again] = [frame("hello"), frame("again")];
    const client = dial(rig.port, HANDSHAKE, hello);
    await hasBytes(client, hello);
    client.socket.write(again);
    await hasBytes(client, again);
    const text = client.received.toString("latin1");
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(text, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/i);
    assert.ok(text.includes(`sec-websocket-accept: ${acceptOf(KEY)}\r\n`));
    assert.equal(asked[0]?.["x-envoy-external-address"], "127.0.0.1");
    assert.match(await metrics(rig), /purser_proxy_upgrades_total\{listener="edge",protocol="websocket"\} 1/);
    assert.match(await metrics(rig), /purser_proxy_upgrades_active\{listener="edge"\} 1/);
    const headers = groupOf(rig.policy.checks, "request")["headers"] as Record<string, string>;
    assert.equal(headers["upgrade"], "websocket");
    assert.equal(rig.policy.reports.length, 0);
    client.socket.end();
    await until(() => rig.policy.reports.length === 1);
    const { code, flags, size } = groupOf(rig.policy.reports, "response");
    const bytes = hello.byteLength + again.byteLength;
    assert.deepEqual([code, flags, size], [101, "-", bytes]);
    assert.equal(groupOf(rig.policy.reports, "request")["size"], bytes);
    assert.match(await metrics(rig), /purser_proxy_upgrades_active\{listener="edge"\} 0/);
    assert.doesNotMatch(await metrics(rig), /request_duration_seconds_count\{listener="edge"\} 1/);
    await until(() => client.closed);
  });

  it("are cut when changed policies refuse them", async () => {
    const { port } = await echoServer();
    const rig = await start(port);
    const hello = frame("hello");
    const client = dial(rig.port, HANDSHAKE, hello);
    await hasBytes(client, hello);
    rig.policy.change(() => "undecided");
    await later(50);
    assert.equal(client.closed, false);
    rig.policy.change(() => "refused");
    await until(() => client.closed);
    await until(() => rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "UAEX");
    assert.match(await metrics(rig), /purser_proxy_upgrades_active\{listener="edge"\} 0/);
  });

  it("carry large amounts with back-pressure", async () => {
    const { port } = await echoServer();
    const rig = await start(port);
    const client = dial(rig.port, HANDSHAKE);
    await hasBytes(client, "\r\n\r\n");
    const head = client.received.indexOf("\r\n\r\n") + 4;
    const sent = randomBytes(8 * 1024 * 1024);
    client.socket.pause();
    client.socket.write(sent);
    await later(100);
    client.socket.resume();
    const end = Date.now() + 5_000;
    while (client.received.length < head + sent.length && Date.now() < end) await later(10);
    assert.ok(client.received.subarray(head).equals(sent));
  });

  it("are not forwarded when a policy refuses", async () => {
    const { port, asked } = await echoServer();
    const rig = await start(port);
    rig.policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "no" },
        decidedBy: { kind: "AccessPolicy", name: "p" },
      },
    });
    const client = dial(rig.port, HANDSHAKE, frame("early"));
    await until(() => client.closed);
    assert.match(
      client.received.toString(),
      /^HTTP\/1\.1 403 Forbidden\r\n[^]*connection: close\r\n[^]*"detail":"no"/,
    );
    assert.deepEqual(asked, []);
    await until(() => rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "UAEX");
  });

  it("let a client read a refusal although it has already sent much more", async () => {
    const { port } = await httpUpstream(
      (_incoming, outgoing) => void outgoing.writeHead(403, { "content-length": 2 }).end("no"),
    );
    const rig = await start(port);
    const client = dial(rig.port, HANDSHAKE, Buffer.alloc(1024 * 1024));
    await until(() => client.closed);
    assert.match(client.received.toString(), /^HTTP\/1\.1 403 [^]*no$/);
    await until(() => rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "-");
  });

  it("get the upstream's ordinary response when it does not accept, and the connection goes on", async () => {
    const { port } = await httpUpstream((incoming, outgoing) => {
      if (incoming.url === "/next") return void outgoing.end("next");
      outgoing.writeHead(426, { "x-why": "old", "content-length": 8 });
      outgoing.write("not ");
      outgoing.end("here");
    });
    const rig = await start(port);
    const client = dial(rig.port, HANDSHAKE);
    await hasBytes(client, "not here");
    assert.match(client.received.toString(), /^HTTP\/1\.1 426 [^]*x-why: old\r\n[^]*\r\n\r\nnot here$/);
    await until(() => rig.policy.reports.length === 1);
    const { code, flags, size } = groupOf(rig.policy.reports, "response");
    assert.deepEqual([code, flags, size], [426, "-", 8]);
    client.socket.write("GET /next HTTP/1.1\r\nhost: a\r\n\r\n");
    await until(() => /HTTP\/1\.1 200 [^]*next/.test(client.received.toString()));
  });

  it("get a local reply when the upstream is away or the cluster's limit is reached", async () => {
    const away = await start(await deadPort());
    assert.match(await raw(away.port, HANDSHAKE), /^HTTP\/1\.1 503 [^]*PURSER_PROXY_UPSTREAM/);
    const { port } = await echoServer();
    const rig = await start(port);
    const clients = [dial(rig.port, HANDSHAKE), dial(rig.port, HANDSHAKE)];
    for (const client of clients) await hasBytes(client, "101");
    assert.match(await raw(rig.port, HANDSHAKE), /^HTTP\/1\.1 503 [^]*PURSER_PROXY_OVERFLOW/);
    clients[0]?.socket.destroy();
    await until(() => rig.policy.reports.length === 2);
    const next = dial(rig.port, HANDSHAKE);
    await hasBytes(next, "101");
  });

  it("to other protocols, or of requests with a body, are ordinary requests", async () => {
    const seen: unknown[] = [];
    const { port } = await httpUpstream((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => (body += chunk));
      incoming.on("end", () => {
        seen.push([incoming.headers.upgrade, body]);
        outgoing.end("plain");
      });
    });
    const rig = await start(port);
    const h2c = "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n";
    assert.match(
      await raw(rig.port, `${h2c}http2-settings: AAMAAABk\r\ncontent-length: 2\r\n\r\nhi`),
      /^HTTP\/1\.1 200 [^]*plain$/,
    );
    const body = HANDSHAKE.replace("GET", "POST").replace("\r\n\r\n", "\r\ncontent-length: 2\r\n\r\nhi");
    assert.match(await raw(rig.port, body), /^HTTP\/1\.1 200 [^]*plain$/);
    const off = await start(port, { upgradeProtocols: [] });
    assert.match(await raw(off.port, HANDSHAKE), /^HTTP\/1\.1 200 [^]*plain$/);
    assert.deepEqual(seen, [
      [undefined, "hi"],
      [undefined, "hi"],
      [undefined, ""],
    ]);
  });

  it("outlive the route's timeout, and end at the idle limit", async () => {
    const { port, sockets } = await echoServer();
    const limits = { streamIdleMs: 200 };
    const rig = await start(port, { limits }, { timeoutMs: 50 });
    const client = dial(rig.port, HANDSHAKE);
    await hasBytes(client, "101");
    for (let index = 0; index < 4; index++) {
      await later(80);
      client.socket.write("x");
    }
    assert.equal(client.closed, false);
    await until(() => client.closed && sockets[0]?.destroyed === true);
    await until(() => rig.policy.reports.length === 1);
    const { flags, code_details } = groupOf(rig.policy.reports, "response");
    assert.deepEqual([flags, code_details], ["SI", "stream_idle_timeout"]);
  });

  it("half-close in one direction after the other", async () => {
    const { port, sockets } = await echoServer();
    const rig = await start(port);
    const left = dial(rig.port, HANDSHAKE);
    await hasBytes(left, "101");
    left.socket.resetAndDestroy();
    await until(() => sockets[0]?.destroyed === true && rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "DC");
    rig.policy.reports.length = 0;
    const broken = dial(rig.port, HANDSHAKE);
    await hasBytes(broken, "101");
    sockets[1]?.resetAndDestroy();
    await until(() => broken.closed && rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "UC");
    rig.policy.reports.length = 0;
    const ended = dial(rig.port, HANDSHAKE);
    await hasBytes(ended, "101");
    sockets[2]?.end("bye");
    await until(() => ended.closed && rig.policy.reports.length === 1);
    assert.match(ended.received.toString(), /bye$/);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "-");
  });

  it("leave no connection behind when the client leaves before the upstream's response", async () => {
    let gone = 0;
    const { port } = await tcpUpstream((socket) => socket.resume().on("close", () => gone++));
    const rig = await start(port);
    const client = dial(rig.port, HANDSHAKE);
    await later(50);
    client.socket.end();
    await until(() => gone === 1 && rig.policy.reports.length === 1);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "DC");
  });

  it("are cut at a drain's deadline, and reported", async () => {
    const { port, sockets } = await echoServer();
    const rig = await start(port);
    const client = dial(rig.port, HANDSHAKE);
    await hasBytes(client, "101");
    const drained = rig.proxy.drain(150);
    client.socket.write("still");
    await hasBytes(client, "still");
    await drained;
    assert.equal(rig.policy.reports.length, 1);
    const { flags, code_details } = groupOf(rig.policy.reports, "response");
    assert.deepEqual([flags, code_details], ["DC", "downstream_local_disconnect"]);
    await until(() => client.closed && sockets[0]?.destroyed === true);
  });

  it("wait for earlier requests on their connection", async () => {
    const { port } = await echoServer();
    const rig = await start(port);
    const client = dial(rig.port, "GET /first HTTP/1.1\r\nhost: a\r\n\r\n" + HANDSHAKE, "ping");
    await hasBytes(client, "ping");
    assert.match(client.received.toString(), /^HTTP\/1\.1 426 [^]*upgrade[^]*HTTP\/1\.1 101 [^]*ping$/);
  });
});

describeHttp1("informational responses", () => {
  afterEach(cleanUp);

  it("precede the final one, without their hop-by-hop fields", async () => {
    const { port } = await tcpUpstream((socket) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nkeep-alive: x\r\n\r\n");
        setTimeout(() => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), 20);
      });
    });
    const rig = await start(port);
    const received = await raw(rig.port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert.match(
      received,
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*ok$/,
    );
    const old = await raw(rig.port, "GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    assert.match(old, /^HTTP\/1\.1 200 OK\r\n/);
  });
});
