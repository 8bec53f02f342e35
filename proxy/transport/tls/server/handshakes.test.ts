// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";

import { type Authority, createAuthority } from "../../../../test/support/certificates.ts";
import { requireService } from "../../../../test/support/services.ts";
import { cleanUp, later, onCleanup, raw, until } from "../../../testing/harness.test.ts";
import {
  callTls,
  dialTls,
  handshakesOf,
  run,
  startTlsEdge,
  tlsConfigOf,
  type TlsReply,
  tlsServerOf,
  WrittenFiles,
} from "../tls-rig.test.ts";

describe("TLS handshakes with clients", () => {
  let authority: Authority;
  let files: WrittenFiles;
  before(function () {
    authority = createAuthority(this);
    const texts = ["shop.example", "wild", "any", "new"].flatMap((name) => {
      const { cert, key } = authority.sign(name, `DNS:${name}`);
      return [[`${name}.crt`, cert] as const, [`${name}.key`, key] as const];
    });
    files = new WrittenFiles(Object.fromEntries(texts));
  });
  after(() => authority?.remove());
  afterEach(cleanUp);

  const SHOP = tlsServerOf("shop.example");
  const WILD = tlsServerOf("wild", { serverNames: ["*.example"] });
  const ANY = tlsServerOf("any", { serverNames: ["*"] });

  const bodyOf = (reply: TlsReply | string): string =>
    typeof reply === "string" ? reply : `${reply.status} ${reply.body} by ${reply.server}`;

  it("choose the server by its name: exact, by a wildcard, or the default", async () => {
    const { port } = await startTlsEdge([ANY, WILD, SHOP], files);
    assert.equal(bodyOf(await callTls(port, "shop.example")), "200 shop.example by shop.example");
    assert.equal(bodyOf(await callTls(port, "SHOP.example")), "200 shop.example by shop.example");
    assert.equal(bodyOf(await callTls(port, "a.b.example")), "200 wild by wild");
    assert.equal(bodyOf(await callTls(port, "example")), "200 any by any");
    assert.equal(bodyOf(await callTls(port, "x.org", { servername: "" })), "200 any by any");
  });

  it("carry requests whose target is a whole URL with the scheme https (RFC 9112, section 3.2.2)", async () => {
    const { port } = await startTlsEdge([SHOP], files);
    const statusOf = async (path: string) => {
      const reply = await callTls(port, "shop.example", { path });
      return typeof reply === "string" ? reply : reply.status;
    };
    assert.equal(await statusOf("https://shop.example/a"), 200);
    assert.equal(await statusOf("ftp://shop.example/a"), 400);
  });

  it("close the connection of a name that no server has, or of none", async () => {
    const rig = await startTlsEdge([SHOP], files);
    assert.equal(await callTls(rig.port, "other.example"), "ECONNRESET");
    assert.equal(await callTls(rig.port, "shop.example", { servername: "" }), "ECONNRESET");
    assert.deepEqual(await handshakesOf(rig), { unknown_server_name: 2 });
  });

  it("keep a connection to the hosts of its server, as in Envoy: 404", async () => {
    const { port } = await startTlsEdge([SHOP, WILD, ANY], files);
    assert.equal(
      bodyOf(await callTls(port, "shop.example", { servername: "a.example" })),
      "200 wild by wild",
    );
    const reply = await callTls(port, "a.example", { servername: "shop.example" });
    assert.equal(typeof reply === "string" ? reply : reply.status, 404);
  });

  it("agree on HTTP/2 where the client knows it, and then speak it", async () => {
    const { port, policy } = await startTlsEdge([SHOP], files);
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      servername: "shop.example",
      rejectUnauthorized: false,
    });
    onCleanup(() => session.destroy());
    const answers = ["/a", "/b"].map(async (path) => {
      const stream = session.request({ ":path": path, ":authority": "shop.example" });
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      let body = "";
      for await (const chunk of stream) body += String(chunk);
      return `${String(headers[":status"])} ${body}`;
    });
    assert.deepEqual(await Promise.all(answers), ["200 shop.example", "200 shop.example"]);
    assert.equal(session.alpnProtocol, "h2");
    const [bag] = policy.checks;
    const { requested_server_name: name } = (bag?.["connection"] ?? {}) as Record<string, unknown>;
    assert.equal(name, "shop.example");
  });

  it("end a connection of HTTP/2 with its streams when its server changes", async () => {
    const rig = await startTlsEdge([SHOP], files);
    const session = connectHttp2(`https://127.0.0.1:${rig.port}`, {
      servername: "shop.example",
      rejectUnauthorized: false,
    });
    onCleanup(() => session.destroy());
    await once(session, "connect");
    const left = once(session, "goaway");
    rig.apply(tlsConfigOf([{ ...SHOP, minVersion: "TLSv1.3" }]));
    assert.equal(((await left) as [number])[0], 0);
  });

  it("agree on HTTP/1.1 with a client that offers nothing else, or nothing, and on nothing unknown", async () => {
    const rig = await startTlsEdge([SHOP], files);
    const alpnOf = async (ALPNProtocols?: string[]) => {
      const reply = await callTls(rig.port, "shop.example", ALPNProtocols && { ALPNProtocols });
      return typeof reply === "string" ? reply : reply.alpn;
    };
    assert.equal(await alpnOf(["http/1.1"]), "http/1.1");
    const plain = await dialTls(rig.port, "shop.example");
    plain.write("GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n");
    const answer = await new Promise<string>((resolve) =>
      plain.once("data", (bytes) => resolve(String(bytes))),
    );
    assert.match(answer, /^HTTP\/1.1 200/);
    assert.match(String(await alpnOf(["http/1.0"])), /no application protocol/);
    assert.deepEqual(await handshakesOf(rig), { full: 2, no_shared_protocol: 1 });
  });

  it("have the versions and suites of the server", async () => {
    const suites = ["ECDHE-ECDSA-CHACHA20-POLY1305"];
    const rig = await startTlsEdge(
      [
        SHOP,
        tlsServerOf("new", { minVersion: "TLSv1.3" }),
        tlsServerOf("any", { serverNames: ["*"], maxVersion: "TLSv1.2", cipherSuites: suites }),
      ],
      files,
    );
    const seen = async (host: string, tls = {}) => {
      const reply = await callTls(rig.port, host, tls);
      return typeof reply === "string" ? reply : `${reply.protocol} ${reply.cipher}`;
    };
    assert.match(await seen("shop.example"), /^TLSv1.3 TLS_AES_256_GCM_SHA384/);
    assert.match(
      await seen("shop.example", { maxVersion: "TLSv1.2" }),
      /^TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM/,
    );
    assert.match(await seen("new", { maxVersion: "TLSv1.2" }), /alert protocol version/);
    assert.match(await seen("x"), /^TLSv1.2 TLS_ECDHE_ECDSA_WITH_CHACHA20/);
    assert.match(
      await seen("x", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }),
      /handshake failure/,
    );
    const { unsupported_version, no_shared_cipher, full } = await handshakesOf(rig);
    assert.deepEqual([unsupported_version, no_shared_cipher, full], [1, 1, 3]);
  });

  it("refuse TLS 1.0 and 1.1, renegotiation and early data", async function () {
    const openssl = requireService(this, "openssl");
    const { port } = await startTlsEdge([SHOP], files);
    const to = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "shop.example"];
    for (const version of ["-tls1", "-tls1_1"]) {
      const output = await run(openssl, [...to, version, "-cipher", "ALL:@SECLEVEL=0"]);
      assert.match(output, /alert protocol version|no protocols available/, version);
      assert.doesNotMatch(output, /Cipher is [A-Z]{3}/);
    }
    assert.match(await run(openssl, [...to, "-tls1_2"], "R\n"), /RENEGOTIATING\n[^]*no renegotiation/);
    assert.match(await run(openssl, [...to, "-tls1_3"], "Q\n"), /Early data was not sent/);
    assert.doesNotMatch(await run(openssl, [...to, "-tls1_3"], "\n"), /Max Early Data: [1-9]/);
  });

  it("are refused for bytes that are not TLS, and count each once", async () => {
    const rig = await startTlsEdge([SHOP], files);
    assert.equal(await raw(rig.port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"), "");
    assert.equal(await raw(rig.port, "\x16\x03\x01\x00\x05hello"), "");
    // A record that begins a ClientHello, and the end of the connection within it.
    const cut = connect(rig.port, "127.0.0.1");
    cut.end("\x16\x03\x01\x02\x00\x01", "latin1");
    const left = connect(rig.port, "127.0.0.1", () => left.destroy());
    await until(() => cut.closed);
    await later(50);
    assert.deepEqual(await handshakesOf(rig), { not_tls: 3, closed: 1 });
    assert.equal(bodyOf(await callTls(rig.port, "shop.example")), "200 shop.example by shop.example");
  });

  it("have a deadline, however slowly the client's bytes come", async () => {
    const rig = await startTlsEdge([SHOP], files, { limits: { handshakeTimeoutMs: 300 } });
    const slow = connect(rig.port, "127.0.0.1");
    slow.on("error", () => {});
    const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let sent = 0;
    const drip = setInterval(() => slow.write(hello[sent++ % hello.length] ?? "", "latin1"), 40);
    const silent = connect(rig.port, "127.0.0.1");
    silent.on("error", () => {});
    // One that has sent its ClientHello, and then nothing.
    const stalled = await stallAfterHello(rig.port);
    await until(() => slow.closed && silent.closed && stalled.closed);
    clearInterval(drip);
    await later(50);
    assert.deepEqual(await handshakesOf(rig), { timeout: 3 });
  });

  it("are bounded: the oldest client that has sent nothing makes way", async () => {
    const rig = await startTlsEdge([SHOP], files, { limits: { maxHandshakes: 3 } });
    const silent: Socket[] = [];
    for (let index = 0; index < 4; index++) {
      const socket = connect(rig.port, "127.0.0.1");
      socket.on("error", () => {});
      silent.push(socket);
      await later(30);
    }
    await until(() => silent[0]?.closed === true);
    assert.equal(bodyOf(await callTls(rig.port, "shop.example")), "200 shop.example by shop.example");
    await until(() => silent[1]?.closed === true);
    assert.equal(silent[2]?.closed, false);
    // With a handshake under way in each place, the new connection is refused.
    for (const socket of silent) socket.destroy();
    await later(30);
    const stalled = [
      await stallAfterHello(rig.port),
      await stallAfterHello(rig.port),
      await stallAfterHello(rig.port),
    ];
    await later(50);
    assert.equal(await callTls(rig.port, "shop.example"), "ECONNRESET");
    assert.ok(stalled.every(({ closed }) => !closed));
    for (const socket of stalled) socket.destroy();
    await until(() => stalled.every(({ closed }) => closed));
    await later(50);
    assert.deepEqual(await handshakesOf(rig), { overflow: 3, closed: 5, full: 1 });
  });

  it("under way are cut by a drain at its deadline", async () => {
    const { proxy, port } = await startTlsEdge([SHOP], files);
    const silent = connect(port, "127.0.0.1");
    silent.on("error", () => {});
    await later(30);
    await proxy.drain(200);
    await until(() => silent.closed);
  });

  it("are refused while the certificate cannot be read, until it can", async () => {
    const missing = new WrittenFiles();
    const rig = await startTlsEdge([SHOP], missing);
    assert.equal(await callTls(rig.port, "shop.example"), "ECONNRESET");
    const { cert, key } = authority.sign("late");
    missing.write("shop.example.crt", cert);
    missing.write("shop.example.key", key);
    assert.equal(bodyOf(await callTls(rig.port, "shop.example")), "200 shop.example by late");
    assert.deepEqual(await handshakesOf(rig), { no_certificate: 1, full: 1 });
  });
});

/** A connection whose ClientHello has been sent, and nothing after the server's answer. */
async function stallAfterHello(port: number): Promise<Socket> {
  const probe = await helloBytes("shop.example");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.on("data", () => {});
  socket.write(probe);
  await new Promise((resolve) => setTimeout(resolve, 40));
  return socket;
}

async function helloBytes(servername: string): Promise<Buffer> {
  const { createServer } = await import("node:net");
  const { connect: connectTls } = await import("node:tls");
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      connectTls({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }).on("error", () => {});
    });
  });
}
