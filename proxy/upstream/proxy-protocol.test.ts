// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Authority, createAuthority } from "../../test/support/certificates.ts";
import { requireService } from "../../test/support/services.ts";
import {
  callHttp1,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  groupOf,
  later,
  onCleanup,
  startProxy,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import { plainTcp, startTcp, tcpConfigOf, tcpRouteOf, TestClient } from "../tcp/tcp-rig.test.ts";
import { http2Listener } from "../testing/http2-peers.test.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import { WrittenFiles } from "../transport/tls/tls-rig.test.ts";

/** A request of HTTP/1.1 over the agent: the body of its response, and the client's port. */
function ask(port: number, agent: Agent): Promise<{ readonly body: string; readonly clientPort: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, agent }, (reply) => {
      const clientPort = reply.socket.localPort ?? 0;
      let body = "";
      reply.on("data", (chunk) => (body += String(chunk)));
      reply.on("end", () => resolve({ body, clientPort }));
    });
    outgoing.on("error", reject).end();
  });
}

describe("an upstream that wants a header of the PROXY protocol", () => {
  let authority: Authority;
  let folder: string;
  let pair: { readonly cert: string; readonly key: string };
  before(function () {
    authority = createAuthority(this);
    pair = authority.sign("up.example", "DNS:up.example");
    folder = mkdtempSync(join(tmpdir(), "purser-proxy-protocol-"));
  });
  after(() => {
    authority?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(cleanUp);

  /** nginx, which tells the address of the header, on a port in plain text and on one with TLS. */
  async function startNginx(program: string): Promise<{ readonly plain: number; readonly tls: number }> {
    const [plain, tls] = [await deadPort(), await deadPort()];
    writeFileSync(join(folder, "up.crt"), pair.cert);
    writeFileSync(join(folder, "up.key"), pair.key);
    const answer = "return 200 '$proxy_protocol_addr $proxy_protocol_port $connection';";
    const config = `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
      events {} http { access_log off;
      client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
      uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
      server { listen 127.0.0.1:${plain} proxy_protocol; location / { ${answer} } }
      server { listen 127.0.0.1:${tls} ssl proxy_protocol; ssl_certificate ${folder}/up.crt;
        ssl_certificate_key ${folder}/up.key; location / { ${answer} } } }`;
    writeFileSync(join(folder, "nginx.conf"), config);
    const child: ChildProcess = spawn(
      program,
      ["-c", join(folder, "nginx.conf"), "-e", `${folder}/error.log`],
      {
        stdio: "ignore",
      },
    );
    onCleanup(async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    });
    for (let tries = 0; tries < 100; tries++) {
      const socket = connect(tls, "127.0.0.1");
      const isUp = await new Promise<boolean>((resolve) => {
        socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
      });
      socket.destroy();
      if (isUp) return { plain, tls };
      await later(20);
    }
    throw new Error("nginx does not listen");
  }

  const TLS = {
    credential: { authoritiesFile: "ca.crt" },
    serverName: "up.example",
    subjectAltNames: [],
    skipsVerification: false,
  };

  for (const version of [1, 2] as const)
    it(`learns each client's address over HTTP and TLS, by version ${version}`, async function () {
      const program = requireService(this, "nginx");
      this.timeout(20_000);
      const ports = await startNginx(program);
      const files = new WrittenFiles({ "ca.crt": authority.cert });
      for (const more of [{ port: ports.plain }, { port: ports.tls, tls: TLS }]) {
        const { port, ...cluster } = more;
        const config = configOf({
          clusters: [
            clusterOf([endpointAt(port)], { ...cluster, proxyProtocol: version, protocol: "http1" }),
          ],
        });
        const rig = await startProxy(config, { transport: HTTP_TRANSPORT, files });
        const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
        onCleanup(() => agents.forEach((agent) => agent.destroy()));
        const connections = new Map<number, Set<string>>();
        for (let round = 0; round < 3; round++)
          for (const agent of agents) {
            const { body, clientPort } = await ask(rig.port, agent);
            const [ip, seenPort, connection = ""] = body.split(" ");
            assert.deepEqual([ip, Number(seenPort)], ["127.0.0.1", clientPort], body);
            connections.set(clientPort, (connections.get(clientPort) ?? new Set()).add(connection));
          }
        // A connection is kept for its client, and for no other.
        assert.deepEqual(
          [...connections.values()].map(({ size }) => size),
          [1, 1],
        );
        const all = [...connections.values()].flatMap((each) => [...each]);
        assert.equal(new Set(all).size, 2);
      }
    });

  it("learns the client's address over HTTP/2", async () => {
    const upstream = createServer();
    http2Listener(upstream, (_incoming, outgoing) => outgoing.end("ok"));
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    onCleanup(() => void upstream.close());
    const headers: string[] = [];
    const { port } = await tcpUpstream((socket) => {
      socket.once("data", (first) => {
        const end = first.indexOf("\r\n") + 2;
        headers.push(first.toString("latin1", 0, end));
        const inner = connect((upstream.address() as AddressInfo).port, "127.0.0.1");
        inner.on("error", () => {});
        inner.write(first.subarray(end));
        socket.pipe(inner).pipe(socket);
        socket.on("close", () => inner.destroy());
      });
    });
    const cluster = clusterOf([endpointAt(port)], { proxyProtocol: 1, protocol: "http2" });
    const rig = await startProxy(configOf({ clusters: [cluster] }), { transport: HTTP_TRANSPORT });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onCleanup(() => agent.destroy());
    const first = await ask(rig.port, agent);
    assert.equal((await ask(rig.port, agent)).body, "ok");
    assert.deepEqual(headers, [`PROXY TCP4 127.0.0.1 127.0.0.1 ${first.clientPort} ${rig.port}\r\n`]);
  });

  it("is unreachable over TLS too when nothing listens", async () => {
    const files = new WrittenFiles({ "ca.crt": authority.cert });
    const cluster = clusterOf([endpointAt(await deadPort())], {
      tls: TLS,
      proxyProtocol: 2,
      protocol: "http1",
    });
    const rig = await startProxy(configOf({ clusters: [cluster] }), { transport: HTTP_TRANSPORT, files });
    assert.equal((await callHttp1(rig.port)).status, 503);
    assert.equal(groupOf(rig.policy.reports, "response")["flags"], "UF");
  });

  it("gets the header before the bytes of a forwarded connection", async () => {
    const { port } = await tcpUpstream((socket) => void socket.on("data", (chunk) => socket.write(chunk)));
    const rig = await startTcp(port, { proxyProtocol: 1 });
    const client = new TestClient(rig.port);
    client.socket.write("hello");
    await until(() => client.text.endsWith("hello"));
    const { localPort } = client.socket;
    assert.equal(client.text, `PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${rig.port}\r\nhello`);
  });

  it("gets the address that a load balancer in front has told", async () => {
    const { port } = await tcpUpstream((socket) => void socket.on("data", (chunk) => socket.write(chunk)));
    const listener = { tcp: plainTcp(tcpRouteOf("db")), proxyProtocol: true };
    const rig = await startProxy(tcpConfigOf({ db: port }, listener, { proxyProtocol: 1 }), {
      transport: HTTP_TRANSPORT,
    });
    const client = new TestClient(rig.port);
    client.socket.write("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\nhello");
    await until(() => client.text.endsWith("hello"));
    assert.equal(client.text, "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\nhello");
  });

  it("gets no more connections for all clients than it may have; those that rest make way", async () => {
    let open = 0;
    let most = 0;
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const { port } = await tcpUpstream((socket) => {
      most = Math.max(most, ++open);
      socket.on("close", () => open--);
      socket.on("data", (chunk) => {
        const text = String(chunk);
        if (text.includes("GET /slow")) setTimeout(() => socket.write(answer), 200);
        else if (text.includes("GET /")) socket.write(answer);
      });
    });
    const cluster = clusterOf([endpointAt(port)], {
      proxyProtocol: 2,
      maxConnectionsPerEndpoint: 3,
      protocol: "http1",
    });
    const rig = await startProxy(configOf({ clusters: [cluster] }), { transport: HTTP_TRANSPORT });
    for (let client = 0; client < 10; client++) assert.equal((await callHttp1(rig.port)).status, 200);
    assert.ok(most <= 4, `${most} connections`);
    const slow = await Promise.all([1, 2, 3, 4, 5].map(() => callHttp1(rig.port, { path: "/slow" })));
    assert.deepEqual(
      slow.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 200, 200, 503, 503],
    );
    assert.equal(
      rig.policy.reports.filter((bag) => (bag["response"] as { flags: string }).flags === "UO").length,
      2,
    );
    assert.equal((await callHttp1(rig.port)).status, 200);
  });
});
