// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { freePort } from "../../../bench/machine/free-port.ts";
import { createAuthority } from "../../../test/support/certificates.ts";
import { PROXY_PROTOCOL_VERSIONS, proxyHeaderOf } from "../../../test/support/proxy-header.ts";
import { requireService } from "../../../test/support/services.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  EDGE,
  endpointAt,
  groupOf,
  httpUpstream,
  later,
  onCleanup,
  type Rig,
  startProxy,
  startWith,
  until,
} from "../../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../http-transport.ts";
import { startTlsEdge, tlsConfigOf, tlsServerOf, WrittenFiles } from "../tls/tls-rig.test.ts";

const CLIENT = { ip: "198.51.100.7", port: 40_000 };
const CALLED = { ip: "203.0.113.1", port: 443 };
const HEADERS = PROXY_PROTOCOL_VERSIONS.map((version) => proxyHeaderOf(version, CLIENT, CALLED));
const REQUEST = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

const start = (listener = {}): Promise<Rig> =>
  startWith((incoming, outgoing) => outgoing.end(String(incoming.headers["x-forwarded-for"])), {
    listener: { proxyProtocol: true, ...listener },
  });

function dial(port: number) {
  const socket = connect(port, "127.0.0.1");
  const state = { socket, received: "", closed: false };
  socket.on("data", (chunk) => (state.received += String(chunk)));
  socket.on("error", () => {});
  socket.on("close", () => (state.closed = true));
  onCleanup(() => void socket.destroy());
  return state;
}

const refused = async ({ proxy }: Rig): Promise<number> => {
  const text = await proxy.registry.metrics();
  return Number(/connection_events_total\{[^}]*event="proxy_protocol_error"\} (\d+)/.exec(text)?.[1] ?? 0);
};

describe("a listener behind a load balancer with the PROXY protocol", () => {
  afterEach(cleanUp);

  it("believes the header's addresses, in any version, with the request in the same packet or later", async () => {
    for (const header of HEADERS) {
      for (const parts of [[Buffer.concat([header, Buffer.from(REQUEST)])], [header, Buffer.from(REQUEST)]]) {
        const rig = await start();
        const client = dial(rig.port);
        for (const part of parts) {
          client.socket.write(part);
          await later(5);
        }
        await until(() => client.closed);
        assert.match(client.received, /^HTTP\/1.1 200/);
        assert.match(client.received, /198\.51\.100\.7/);
        assert.equal(groupOf(rig.policy.checks, "source")["ip"], "198.51.100.7");
        assert.equal(groupOf(rig.policy.checks, "source")["port"] ?? 40_000, 40_000);
      }
    }
  });

  it("reads a header byte by byte, and keeps the connection's addresses for a health check", async () => {
    const rig = await start();
    const client = dial(rig.port);
    client.socket.setNoDelay(true);
    for (const byte of Buffer.concat([Buffer.from("PROXY UNKNOWN\r\n"), Buffer.from(REQUEST)])) {
      client.socket.write(Buffer.from([byte]));
      await later(0);
    }
    await until(() => client.closed);
    assert.match(client.received, /^HTTP\/1.1 200/);
    assert.equal(groupOf(rig.policy.checks, "source")["ip"], "127.0.0.1");
  });

  it("closes connections without a header, with a wrong one, cut off or too slow, and counts them", async () => {
    const rig = await start({ limits: { ...EDGE.limits, headersTimeoutMs: 100 } });
    const wrong = [REQUEST, "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\n\0\r\nQUIX\n", "PROXY UNKN"];
    for (const text of wrong) {
      const client = dial(rig.port);
      client.socket.write(text, "latin1");
      await until(() => client.closed);
      assert.equal(client.received, "");
    }
    const ending = dial(rig.port);
    ending.socket.end("PROXY TC");
    await until(() => ending.closed);
    await until(() => true);
    assert.equal(await refused(rig), 5);
    assert.equal(rig.policy.checks.length, 0);
  });

  it("counts connections whose header has not come towards the limit of connections", async () => {
    const rig = await start({ limits: { ...EDGE.limits, maxConnections: 2 } });
    const idle = [dial(rig.port), dial(rig.port)];
    await later(30);
    const third = dial(rig.port);
    await until(() => third.closed);
    assert.ok(idle.every(({ closed }) => !closed));
    assert.match(await rig.proxy.registry.metrics(), /event="overflow"\} 1/);
  });

  it("ends with a drain, whatever has not come", async () => {
    const rig = await start();
    const client = dial(rig.port);
    await later(20);
    await rig.proxy.drain(2_000);
    await until(() => client.closed);
  });

  it("reads the header before TLS, and HTTP/2 behind it", async function () {
    const authority = createAuthority(this);
    onCleanup(() => authority.remove());
    const { cert, key } = authority.sign("shop.example", "DNS:shop.example");
    const files = new WrittenFiles({ "shop.example.crt": cert, "shop.example.key": key });
    const server = tlsServerOf("shop.example");
    const rig = await startTlsEdge([server], files);
    rig.apply(tlsConfigOf([server], { proxyProtocol: true }));
    const secured = async (ALPNProtocols: string[]): Promise<Socket> => {
      const raw = connect(rig.port, "127.0.0.1");
      onCleanup(() => void raw.destroy());
      await once(raw, "connect");
      raw.write(HEADERS[1] as Buffer);
      const options = { servername: "shop.example", rejectUnauthorized: false, ALPNProtocols };
      const socket = connectTls({ socket: raw, ...options });
      await once(socket, "secureConnect");
      return socket;
    };
    const plain = await secured(["http/1.1"]);
    plain.write("GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n");
    const [answer] = (await once(plain, "data")) as [Buffer];
    assert.match(String(answer), /^HTTP\/1.1 200/);
    const over = await secured(["h2"]);
    const session = connectHttp2("https://shop.example", { createConnection: () => over });
    onCleanup(() => session.destroy());
    const stream = session.request({ ":path": "/", ":authority": "shop.example" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 200);
    const sources = rig.policy.checks.map((bag) => (bag["source"] as { ip: string }).ip);
    assert.deepEqual(sources, ["198.51.100.7", "198.51.100.7"]);
  });

  it("is turned on and off for new connections without an end to others", async () => {
    const { port } = await httpUpstream((_incoming, outgoing) => outgoing.end("ok"));
    const config = (proxyProtocol: boolean) =>
      configOf({ clusters: [clusterOf([endpointAt(port)])], listeners: [{ ...EDGE, proxyProtocol }] });
    const rig = await startProxy(config(false), { transport: HTTP_TRANSPORT });
    const kept = dial(rig.port);
    kept.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await until(() => kept.received.includes("ok"));
    rig.apply(config(true));
    await assert.rejects(call(rig.port));
    kept.received = "";
    kept.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await until(() => kept.received.includes("ok"));
    rig.apply(config(false));
    assert.equal((await call(rig.port)).status, 200);
  });

  for (const option of ["send-proxy", "send-proxy-v2"])
    it(`understands haproxy with ${option}`, async function () {
      this.timeout(20_000);
      const haproxy = requireService(this, "haproxy");
      const rig = await start();
      const port = await freePort();
      const folder = mkdtempSync(join(tmpdir(), "purser-haproxy-"));
      onCleanup(() => rmSync(folder, { recursive: true, force: true }));
      writeFileSync(
        join(folder, "haproxy.cfg"),
        `defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s
listen balancer\n  bind 127.0.0.1:${port}\n  server edge 127.0.0.1:${rig.port} ${option}\n`,
      );
      const child = spawn(haproxy, ["-f", join(folder, "haproxy.cfg")], { stdio: "ignore" });
      onCleanup(async () => {
        child.kill("SIGKILL");
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      });
      const end = Date.now() + 10_000;
      for (;;) {
        try {
          assert.equal((await call(port)).status, 200);
          break;
        } catch (error) {
          if (Date.now() > end) throw error;
          await later(50);
        }
      }
      assert.equal(groupOf(rig.policy.checks, "source")["ip"], "127.0.0.1");
      assert.equal(await refused(rig), 0);
    });
});
