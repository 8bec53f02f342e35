// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import { createSecureServer, type SecureServerOptions, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";

import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import type { UpstreamTls } from "../../../../core/traffic/resources/tls.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  groupOf,
  later,
  onCleanup,
  raw,
  startProxy,
  tcpUpstream,
} from "../../../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../../http-transport.ts";
import { WrittenFiles } from "../tls-rig.test.ts";

interface SeenRequest {
  readonly serverName: string;
  readonly client: string | undefined;
  readonly resumed: boolean;
  readonly protocol: string | null;
}

describe("TLS to upstreams", () => {
  let ours: Authority;
  let theirs: Authority;
  let server: Certificate;
  let expired: Certificate;
  let client: Certificate;
  let files: WrittenFiles;
  before(function () {
    ours = createAuthority(this);
    theirs = createAuthority(this);
    server = ours.sign(
      "reviews.shop",
      "DNS:reviews.shop,DNS:*.api.shop,URI:spiffe://mesh/reviews,IP:127.0.0.1",
    );
    expired = ours.signExpired("expired");
    client = ours.sign("edge");
    files = new WrittenFiles({
      ca: ours.cert,
      "ca-2": theirs.cert,
      crt: client.cert,
      key: client.key,
      "expired.crt": client.cert,
    });
  });
  after(() => {
    ours?.remove();
    theirs?.remove();
  });
  afterEach(cleanUp);

  const VERIFIED: UpstreamTls = {
    credential: { authoritiesFile: "ca" },
    serverName: "reviews.shop",
    subjectAltNames: [],
    skipsVerification: false,
  };

  async function startUpstream(options: ServerOptions = {}) {
    const seen: SeenRequest[] = [];
    const upstream: Server = createServer(
      { cert: server.cert, key: server.key, ...options },
      (incoming: IncomingMessage, outgoing) => {
        const socket = incoming.socket as TLSSocket;
        seen.push({
          serverName: String(socket.servername),
          client: socket.getPeerX509Certificate()?.subject,
          resumed: socket.isSessionReused(),
          protocol: socket.getProtocol(),
        });
        outgoing.end("reviews");
      },
    );
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    onCleanup(() => {
      upstream.closeAllConnections();
      return new Promise((resolve) => upstream.close(resolve));
    });
    return { seen, upstream, port: (upstream.address() as AddressInfo).port };
  }

  const configTo = (port: number, tls: UpstreamTls, more = {}) =>
    configOf({ clusters: [clusterOf([endpointAt(port)], { tls, ...more })] });

  const startTo = (port: number, tls: Partial<UpstreamTls> = {}, more = {}, options = {}) =>
    startProxy(configTo(port, { ...VERIFIED, ...tls }, more), {
      transport: HTTP_TRANSPORT,
      files,
      ...options,
    });

  /** The status, the response flags, and the upstream's failure as it is logged, without its address. */
  async function outcome(rig: Awaited<ReturnType<typeof startTo>>): Promise<string> {
    const { status } = await call(rig.port);
    const { flags } = groupOf(rig.policy.reports.slice(-1), "response");
    const { upstream } = (rig.logger.lines.at(-1)?.fields ?? {}) as { readonly upstream?: string };
    return `${status} ${String(flags)} ${upstream?.replace(/^\S+: /, "")}`;
  }

  it("sends the server name, and keeps its connections", async () => {
    const { seen, port } = await startUpstream();
    const rig = await startTo(port);
    for (let index = 0; index < 3; index++) assert.equal((await call(rig.port)).body, "reviews");
    assert.deepEqual(seen[0], {
      serverName: "reviews.shop",
      client: undefined,
      resumed: false,
      protocol: "TLSv1.3",
    });
    assert.equal(rig.proxy.clusters().find(({ key }) => key.endsWith("cx_active"))?.value, 1);
  });

  it("verifies the authority and the names", async () => {
    const { port } = await startUpstream();
    const statusWith = async (tls: Partial<UpstreamTls>): Promise<number> =>
      (await call((await startTo(port, tls)).port)).status;
    assert.equal(await statusWith({}), 200);
    assert.equal(await statusWith({ serverName: "v1.api.shop" }), 200);
    assert.equal(await statusWith({ serverName: "127.0.0.1" }), 200);
    assert.equal(await statusWith({ subjectAltNames: ["other", "spiffe://mesh/reviews"] }), 200);
    for (const wrong of [
      { serverName: "other.shop" },
      { serverName: "a.b.api.shop" },
      // The names replace the check of the server name.
      { subjectAltNames: ["spiffe://mesh/other"] },
      { credential: { authoritiesFile: "ca-2" } },
      // The authorities that Node.js brings.
      { credential: {} },
    ])
      assert.equal(await statusWith(wrong), 503, JSON.stringify(wrong));
    assert.equal(await statusWith({ credential: {}, skipsVerification: true, serverName: "other" }), 200);
  });

  it("verifies by the operating system's authorities where no others are named", async () => {
    const { port } = await startUpstream();
    const rig = await startTo(port, { credential: {} }, {}, { systemAuthorities: "ca" });
    assert.equal((await call(rig.port)).status, 200);
  });

  it("answers 503 for a certificate that is not valid, with its fault in the log, after a bounded number of tries", async () => {
    let connections = 0;
    const { port, upstream } = await startUpstream({ cert: expired.cert, key: expired.key });
    upstream.on("connection", () => connections++);
    const rig = await startTo(port, { serverName: "localhost" });
    assert.equal(await outcome(rig), "503 UF TLS: certificate has expired (CERT_HAS_EXPIRED)");
    assert.equal(connections, 1);
    const other = await startUpstream();
    assert.match(
      await outcome(await startTo(other.port, { serverName: "other" })),
      /^503 UF TLS: the server's certificate is not for other: it has DNS:reviews.shop, /,
    );
    const stranger = await startTo(other.port, { credential: { authoritiesFile: "ca-2" } });
    assert.match(await outcome(stranger), /^503 UF TLS: unable to verify the first certificate.*\(UNABLE/);
    // Each reason is counted, and logged once.
    await outcome(stranger);
    const metrics = await stranger.proxy.registry.metrics();
    const faults = /tls_faults_total\{cluster="[^"]+",reason="certificate_untrusted"\} (\d+)/.exec(
      metrics,
    )?.[1];
    assert.ok(Number(faults) >= 2, metrics);
    const lines = stranger.logger.lines.filter(({ message }) => message.startsWith("a secure connection"));
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, (fields as { reason: string }).reason]),
      [["warn", "certificate_untrusted"]],
    );
    assert.match(await rig.proxy.registry.metrics(), /reason="certificate_expired"\} 1/);
  });

  it("shows a certificate of its own", async () => {
    const mutual = { ca: ours.cert, requestCert: true, rejectUnauthorized: true };
    const { seen, port } = await startUpstream(mutual);
    const credential = { authoritiesFile: "ca", certificateFile: "crt", privateKeyFile: "key" };
    assert.equal((await call((await startTo(port, { credential })).port)).status, 200);
    assert.equal(seen[0]?.client, "CN=edge");
    assert.equal((await call((await startTo(port)).port)).status, 503);
  });

  it("resumes a session for a new connection, and not after a change of the certificates", async () => {
    const { seen, port } = await startUpstream();
    const rig = await startTo(port, {}, { maxRequestsPerConnection: 1 });
    for (let index = 0; index < 3; index++) {
      assert.equal((await call(rig.port)).status, 200);
      await later(20);
    }
    assert.deepEqual(
      seen.map(({ resumed }) => resumed),
      [false, true, true],
    );
    files.write("ca", `${ours.cert}${theirs.cert}`);
    assert.equal((await call(rig.port)).status, 200);
    assert.equal(seen[3]?.resumed, false);
    files.write("ca", theirs.cert);
    assert.equal((await call(rig.port)).status, 503);
    files.write("ca", ours.cert);
    assert.equal((await call(rig.port)).status, 200);
  });

  it("waits for its files before the first request, and fails without them", async () => {
    const { port } = await startUpstream();
    const rig = await startTo(port, { credential: { authoritiesFile: "missing" } });
    assert.equal(await outcome(rig), "503 UF TLS: there is no certificate: ENOENT: missing");
    files.write("missing", ours.cert);
    assert.equal((await call(rig.port)).status, 200);
  });

  it("ends a handshake that an upstream does not answer, cuts, or answers in plain text", async () => {
    const silent = await tcpUpstream(() => {});
    const rig = await startTo(silent.port, {}, { connectTimeoutMs: 200 });
    assert.match(await outcome(rig), /^503 UF no connection .*within 200 ms$/);
    const ending = await tcpUpstream((socket) => socket.once("data", () => socket.end()));
    assert.match(await outcome(await startTo(ending.port)), /^503 UF TLS: .*before secure TLS connection/);
    const plain = await tcpUpstream((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert.match(await outcome(await startTo(plain.port)), /^503 UF TLS: wrong version number/);
    assert.equal(rig.proxy.clusters().find(({ key }) => key.endsWith("cx_active"))?.value, 0);
  });

  it("speaks to nothing older than TLS 1.2", async () => {
    const { port } = await startUpstream({
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ciphers: "ALL:@SECLEVEL=0",
    });
    assert.match(
      await outcome(await startTo(port)),
      /^503 UF TLS: .*(alert protocol version|unsupported protocol)/,
    );
  });

  describe("that speak HTTP/2", () => {
    async function startHttp2Upstream(options: SecureServerOptions = {}) {
      const upstream = createSecureServer({ cert: server.cert, key: server.key, ...options });
      const sessions = new Set<ServerHttp2Session>();
      upstream.on("session", (session) => {
        sessions.add(session);
        session.on("close", () => sessions.delete(session));
      });
      upstream.on("stream", (stream, headers) => {
        stream.respond({ ":status": 200 });
        stream.end(`${headers[":scheme"]} ${headers[":path"]}`);
      });
      upstream.on("unknownProtocol", (socket) => socket.destroy());
      await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
      onCleanup(() => {
        for (const session of sessions) session.destroy();
        return new Promise((resolve) => upstream.close(resolve));
      });
      return { port: (upstream.address() as AddressInfo).port, sessions };
    }

    it("get requests on one connection, with the scheme of the connection", async () => {
      const { port, sessions } = await startHttp2Upstream();
      const rig = await startTo(port, {}, { protocol: "http2" });
      const replies = await Promise.all([call(rig.port, { path: "/a" }), call(rig.port, { path: "/b" })]);
      assert.deepEqual(
        replies.map(({ status, body }) => `${status} ${body}`),
        ["200 https /a", "200 https /b"],
      );
      assert.equal(sessions.size, 1);
    });

    it("are verified, and must agree on it", async () => {
      const http2 = await startHttp2Upstream();
      const other = await startTo(http2.port, { serverName: "ratings.shop" }, { protocol: "http2" });
      assert.match(await outcome(other), /^503 UF TLS: the server's certificate is not for ratings.shop/);
      const { port } = await startUpstream();
      const rig = await startTo(port, {}, { protocol: "http2" });
      assert.match(await outcome(rig), /^503 UF .*(does not speak h2|no application protocol)/);
    });
  });

  it("carries upgrades", async () => {
    const { port, upstream } = await startUpstream();
    upstream.on("upgrade", (_incoming, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    });
    const rig = await startTo(port);
    const head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    assert.match(await raw(rig.port, [head]), /^HTTP\/1\.1 101 /);
  });
});
