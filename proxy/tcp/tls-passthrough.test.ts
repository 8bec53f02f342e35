// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Authority, createAuthority } from "../../test/support/certificates.ts";
import {
  cleanUp,
  deadPort,
  groupOf,
  later,
  onCleanup,
  raw,
  startProxy,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import {
  callTls,
  dialTls,
  handshakesOf,
  run,
  tlsServerOf,
  WrittenFiles,
} from "../transport/tls/tls-rig.test.ts";
import { passthroughTcp, samplesOf, tcpConfigOf, tcpRouteOf } from "./tcp-rig.test.ts";

describe("TLS at a listener that forwards it", () => {
  let authority: Authority;
  let folder: string;
  before(function () {
    authority = createAuthority(this);
    folder = mkdtempSync(join(tmpdir(), "purser-passthrough-"));
  });
  after(() => {
    authority?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(cleanUp);

  /** A server of OpenSSL with a certificate of the name, which answers what it is sent in reverse. */
  async function opensslServer(name: string): Promise<number> {
    const { cert, key } = authority.sign(name, `DNS:${name}`);
    const certFile = join(folder, `${name}.crt`);
    const keyFile = join(folder, `${name}.key`);
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const port = await deadPort();
    const args = ["s_server", "-accept", String(port), "-cert", certFile, "-key", keyFile, "-rev", "-quiet"];
    const child: ChildProcess = spawn("openssl", args, { stdio: "ignore" });
    onCleanup(async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    });
    for (let tries = 0; tries < 100; tries++) {
      const socket = connect(port, "127.0.0.1");
      const isUp = await new Promise<boolean>((resolve) => {
        socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
      });
      socket.destroy();
      if (isUp) return port;
      await later(20);
    }
    throw new Error("openssl s_server does not listen");
  }

  /** Bytes of a ClientHello, as Node's client sends them. */
  async function helloFor(servername: string): Promise<Buffer> {
    let bytes = Buffer.alloc(0);
    const { port } = await tcpUpstream((socket) => {
      socket.on("data", (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    });
    void dialTls(port, servername).catch(() => {});
    await until(() => bytes.byteLength > 100);
    return bytes;
  }

  const ROUTES = [
    tcpRouteOf("a", { name: "a", matches: [{ serverNames: ["a.example"], destinationSubnets: [] }] }),
    tcpRouteOf("b", { name: "b", matches: [{ serverNames: ["*.b.example"], destinationSubnets: [] }] }),
  ];

  it("goes to the server of its name, whose certificate the client sees", async function () {
    this.timeout(20_000);
    const ports = { a: await opensslServer("a.example"), b: await opensslServer("x.b.example") };
    const rig = await startProxy(tcpConfigOf(ports, { tcp: passthroughTcp(ROUTES) }), {
      transport: HTTP_TRANSPORT,
    });
    for (const name of ["a.example", "x.b.example"]) {
      const args = [
        "s_client",
        "-connect",
        `127.0.0.1:${rig.port}`,
        "-servername",
        name,
        "-quiet",
        "-ign_eof",
      ];
      const output = await run("timeout", ["1.5", "openssl", ...args], "hello\n");
      assert.match(output, new RegExp(`CN ?= ?${name}`), output);
      assert.match(output, /olleh/, output);
    }
    const names = rig.policy.checks.map(
      (bag) => (bag["connection"] as Record<string, unknown>)["requested_server_name"],
    );
    assert.deepEqual(names, ["a.example", "x.b.example"]);
    assert.deepEqual(await handshakesOf(rig), { passthrough: 2 });
  });

  it("is closed without an upstream byte for a name that no server or no route has", async () => {
    let connections = 0;
    const { port } = await tcpUpstream(() => void connections++);
    const tcp = passthroughTcp(ROUTES, ["a.example", "c.example"]);
    const rig = await startProxy(tcpConfigOf({ a: port, b: port }, { tcp }), { transport: HTTP_TRANSPORT });
    assert.equal(await callTls(rig.port, "other.example"), "ECONNRESET");
    assert.equal(await callTls(rig.port, "c.example"), "ECONNRESET");
    assert.equal(connections, 0);
    assert.deepEqual(await handshakesOf(rig), { unknown_server_name: 1, passthrough: 1 });
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_closed_total", "reason"), {
      route_not_found: 1,
    });
    assert.equal(rig.policy.checks.length, 0);
  });

  it("is read whole, however the ClientHello is cut into packets", async () => {
    const hello = await helloFor("a.example");
    let received = Buffer.alloc(0);
    const { port } = await tcpUpstream((socket) => {
      socket.on("data", (chunk) => (received = Buffer.concat([received, chunk])));
    });
    const rig = await startProxy(tcpConfigOf({ a: port, b: port }, { tcp: passthroughTcp(ROUTES) }), {
      transport: HTTP_TRANSPORT,
    });
    const socket = connect({ port: rig.port, host: "127.0.0.1", noDelay: true });
    onCleanup(() => void socket.destroy());
    for (const byte of hello) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => received.byteLength === hello.byteLength);
    assert.deepEqual(received, hello);
  });

  it("is closed when the first message is too long, not TLS, or does not come in time", async () => {
    const { port } = await tcpUpstream(() => {});
    const rig = await startProxy(tcpConfigOf({ a: port, b: port }, { tcp: passthroughTcp(ROUTES) }), {
      transport: HTTP_TRANSPORT,
      limits: { handshakeTimeoutMs: 200 },
    });
    const record = Buffer.concat([
      Buffer.from([22, 3, 1, 0x40, 0]),
      Buffer.from([1, 0, 0xff, 0xff]),
      Buffer.alloc(16_380),
    ]);
    assert.equal(await raw(rig.port, record.toString("latin1"), 2_000), "");
    assert.equal(await raw(rig.port, "GET / HTTP/1.1\r\n\r\n", 2_000), "");
    const start = Date.now();
    await raw(rig.port, "", 5_000);
    assert.ok(Date.now() - start < 2_000);
    assert.deepEqual(await handshakesOf(rig), { not_tls: 2, timeout: 1 });
  });

  it("stands beside HTTPS on one port, and ends for TCP where the server says so", async () => {
    const pair = authority.sign("pg.example", "DNS:pg.example");
    const files = new WrittenFiles({ "pg.example.crt": pair.cert, "pg.example.key": pair.key });
    const echo = await tcpUpstream((socket) => void socket.on("data", (chunk) => socket.write(chunk)));
    const tls = tlsServerOf("pg.example", { protocol: "tcp" });
    const pass = passthroughTcp([tcpRouteOf("a")], ["a.example"]);
    const tcp = {
      ...pass,
      tables: [...pass.tables, { name: "pg.example", routes: [tcpRouteOf("a", { name: "pg" })] }],
    };
    const rig = await startProxy(tcpConfigOf({ a: echo.port }, { tcp, tlsServers: [tls] }), {
      transport: HTTP_TRANSPORT,
      files,
    });
    const socket = await dialTls(rig.port, "pg.example");
    onCleanup(() => void socket.destroy());
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += String(chunk)));
    socket.write("select 1");
    await until(() => text === "select 1");
    const [bag] = rig.policy.checks;
    assert.deepEqual(bag?.["route"], { name: "pg" });
    assert.equal(groupOf(rig.policy.checks, "connection")["requested_server_name"], "pg.example");
    const closed = once(socket, "close");
    socket.end();
    await closed;
    await until(() => rig.policy.reports.length === 2);
    assert.deepEqual(rig.policy.reports[1]?.["response"], { flags: "-", code_details: "client" });
  });
});
