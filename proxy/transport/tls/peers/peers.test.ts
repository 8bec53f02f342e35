// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { get, request } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import {
  call,
  cleanUp,
  clock,
  clusterOf,
  configOf,
  endpointAt,
  groupOf,
  httpUpstream,
  later,
  NO_CREDENTIALS,
  onCleanup,
  type Rig,
  scheduler,
  startProxy,
  until,
} from "../../../testing/harness.test.ts";
import { HTTP_TRANSPORT } from "../../http-transport.ts";
import { createProbe } from "../../probes/create-probe.ts";
import { dialTls, handshakesOf } from "../tls-rig.test.ts";
import {
  clientConfigOf,
  idOf,
  inboundListener,
  peerTls,
  startClient,
  startServer,
  TestCredential,
  workloadOf,
} from "./peer-rig.test.ts";
import { MeshTls } from "./mesh-tls.ts";

const CLIENT = {
  host: "127.0.0.1",
  protocol: "http1",
  maxConcurrentStreams: 100,
  connectTimeoutMs: 5_000,
  maxConnections: 100,
  maxPendingRequests: 100,
  maxRequestsPerConnection: 0,
  maxConnectionDurationMs: 0,
  idleTimeoutMs: 0,
  tcpKeepaliveTimeMs: 0,
  maxHeaderBytes: 8_192,
  credentials: NO_CREDENTIALS,
  clock,
  scheduler,
} as const;

describe("mutual TLS between two proxies", () => {
  let ours: Authority;
  let theirs: Authority;
  let cart: Certificate;
  let web: Certificate;
  let web2: Certificate;
  let foreign: Certificate;
  before(function () {
    ours = createAuthority(this);
    theirs = createAuthority(this);
    cart = workloadOf(ours, "cart");
    web = workloadOf(ours, "web");
    web2 = ours.sign("web-2", `URI:${idOf("web")}`);
    foreign = theirs.sign("cart-of-theirs", `URI:${idOf("cart")}`);
  });
  after(() => {
    ours?.remove();
    theirs?.remove();
  });
  afterEach(cleanUp);

  interface Pair {
    readonly client: Rig;
    readonly server: Rig;
    readonly ofClient: TestCredential;
    readonly ofServer: TestCredential;
    readonly upstream: Awaited<ReturnType<typeof httpUpstream>>;
  }

  async function pair(
    protocol: "http1" | "http2",
    identities: readonly string[] = [],
    handler: Parameters<typeof httpUpstream>[0] = (_incoming, outgoing) => outgoing.end("hello"),
    serverCertificate = cart,
  ): Promise<Pair> {
    const upstream = await httpUpstream(handler);
    const ofServer = new TestCredential(serverCertificate, ours.cert + theirs.cert);
    const ofClient = new TestCredential(web, ours.cert);
    const server = await startServer(upstream.port, "strict", ofServer);
    const client = await startClient(server.port, ofClient, peerTls(identities), protocol);
    return { client, server, ofClient, ofServer, upstream };
  }

  const openOf = async ({ proxy }: Rig): Promise<number> => {
    const text = await proxy.registry.metrics();
    return Number(/^purser_proxy_mtls_connections (\d+)/m.exec(text)?.[1]);
  };

  const revokedOf = async ({ proxy }: Rig): Promise<number> => {
    const text = await proxy.registry.metrics();
    return Number(/^purser_proxy_mtls_revoked_connections_total (\d+)/m.exec(text)?.[1]);
  };

  for (const protocol of ["http1", "http2"] as const) {
    describe(`over ${protocol}`, () => {
      it("carries requests, with the identities of both sides", async () => {
        const { client, server } = await pair(protocol, [idOf("cart")]);
        assert.equal((await call(client.port)).body, "hello");
        assert.equal((await call(client.port)).body, "hello");
        assert.equal(groupOf(server.policy.checks, "source")["principal"], "mesh.example/ns/shop/sa/web");
        assert.equal(await openOf(client), 1);
        assert.equal(await openOf(server), 1);
      });

      for (const [reason, identities, certificate] of [
        ["another service account", [idOf("basket")], () => cart],
        ["another root", [idOf("cart")], () => foreign],
      ] as const) {
        it(`refuses a server with ${reason}`, async () => {
          const { client, server } = await pair(protocol, identities, undefined, certificate());
          assert.equal((await call(client.port)).status, 503);
          assert.equal(server.policy.checks.length, 0);
        });
      }

      it("does not call without a certificate, in plain text least of all", async () => {
        const { server } = await pair(protocol);
        const client = await startClient(server.port, undefined, peerTls(), protocol);
        assert.equal((await call(client.port)).status, 503);
        assert.equal(server.policy.checks.length, 0);
      });

      for (const side of ["server", "client"] as const) {
        it(`ends open streams within a second when the ${side} learns that its peer is revoked`, async () => {
          let streaming = 0;
          const rig = await pair(protocol, [], (_incoming, outgoing) => {
            streaming++;
            outgoing.write("begin");
          });
          const { client, server, ofClient, ofServer } = rig;
          let endedAt = 0;
          get({ port: client.port, host: "127.0.0.1", agent: false }, (reply) => {
            reply.on("data", () => {});
            reply.on("error", () => {}).on("close", () => (endedAt = Date.now()));
          }).on("error", () => (endedAt = Date.now()));
          await until(() => streaming === 1);
          const begun = Date.now();
          if (side === "server") ofServer.revoke(idOf("web"));
          else ofClient.revoke(idOf("cart"));
          await until(() => endedAt > 0);
          assert.ok(endedAt - begun < 1_000);
          assert.equal(await revokedOf(side === "server" ? server : client), 1);
          assert.equal(await openOf(side === "server" ? server : client), 0);
          // New connections, and those that would resume the session, are refused as well.
          assert.equal((await call(client.port)).status, 503);
          assert.equal((await call(client.port)).status, 503);
          assert.equal(streaming, 1);
        });
      }
    });
  }

  it("carries health checks of HTTP and of gRPC", async () => {
    const app = createHttp2Server();
    app.on("stream", (stream, headers) => {
      const isGrpc = headers["content-type"] === "application/grpc";
      stream.respond({ ":status": 200 }, { waitForTrailers: isGrpc });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // A HealthCheckResponse with the status SERVING.
      stream.end(isGrpc ? Buffer.from([0, 0, 0, 0, 2, 8, 1]) : "");
    });
    await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
    onCleanup(() => void app.close());
    const config = configOf({
      clusters: [clusterOf([endpointAt((app.address() as AddressInfo).port)], { protocol: "http2" })],
      listeners: [inboundListener("strict")],
    });
    const workload = new TestCredential(cart, ours.cert);
    const server = await startProxy(config, { transport: HTTP_TRANSPORT, workload });
    const expectedStatuses = [{ start: 200, end: 201 }];
    const http = {
      kind: "http",
      method: "GET",
      path: "/",
      host: "cart",
      headers: {},
      expectedStatuses,
    } as const;
    for (const probe of [http, { kind: "grpc", host: "cart", service: "" } as const]) {
      for (const certificate of [web, foreign]) {
        const mesh = new MeshTls(new TestCredential(certificate, ours.cert), clock);
        const created = createProbe(
          probe,
          { ...CLIENT, port: server.port, tls: peerTls([idOf("cart")]), mesh },
          HTTP_TRANSPORT,
        );
        const outcome = await new Promise((resolve) => created.check(resolve));
        assert.equal(outcome, certificate === web ? "success" : "network_failure");
        created.close();
        mesh.close();
      }
    }
  });

  it("ends an upgraded connection of a revoked peer", async () => {
    const { client, ofServer, upstream } = await pair("http1");
    upstream.server.on("upgrade", (_incoming, socket: Duplex) => {
      socket.on("error", () => {}).on("end", () => socket.end());
      socket.resume();
      onCleanup(() => void socket.destroy());
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    });
    const outgoing = request({
      port: client.port,
      host: "127.0.0.1",
      headers: { connection: "upgrade", upgrade: "websocket" },
    });
    let isOpen = false;
    let isClosed = false;
    outgoing.on("upgrade", (_reply, socket) => {
      isOpen = true;
      socket.on("error", () => {}).on("close", () => (isClosed = true));
      onCleanup(() => void socket.destroy());
    });
    outgoing.on("error", () => {});
    outgoing.end();
    await until(() => isOpen);
    ofServer.revoke(idOf("web"));
    await until(() => isClosed);
  });

  it("leaves the connections of other peers alone", async () => {
    const { server, ofServer } = await pair("http1");
    const others = await dialTls(server.port, "cart", { cert: foreign.cert, key: foreign.key });
    ofServer.revoke(idOf("web"));
    await later(50);
    assert.equal(others.destroyed, false);
    others.destroy();
  });

  it("resumes sessions, and none of a peer that was revoked or of another trust bundle", async () => {
    const { server, ofServer } = await pair("http1");
    const tls = { cert: web.cert, key: web.key };
    let session: Buffer | undefined;
    const dial = async (more = {}) => {
      const socket = await dialTls(server.port, "cart", { ...tls, ...more });
      socket.on("session", (each: Buffer) => (session = each));
      let received = "";
      let isClosed = socket.destroyed;
      socket.on("data", (chunk) => (received += String(chunk)));
      socket.on("close", () => (isClosed = true));
      socket.write("GET / HTTP/1.1\r\nhost: cart\r\nconnection: close\r\n\r\n");
      await until(() => isClosed);
      return received.slice(9, 12);
    };
    assert.equal(await dial(), "200");
    const first = session;
    assert.equal(await dial({ session: first }), "200");
    assert.deepEqual(await handshakesOf(server), { full: 1, resumed: 1 });
    ofServer.renew(cart, ours.cert);
    assert.equal(await dial({ session: first }), "200");
    assert.deepEqual(await handshakesOf(server), { full: 2, resumed: 1 });
    ofServer.revoke(idOf("web"));
    assert.equal(await dial({ session }), "");
    assert.equal(await dial({}), "");
    assert.deepEqual(await handshakesOf(server), { full: 2, resumed: 1, client_certificate_invalid: 2 });
  });

  it("loses no request while both sides are renewed and TLS is turned on and off", async () => {
    const { client, server, ofClient, ofServer } = await pair("http1");
    let isOver = false;
    const statuses = new Map<number, number>();
    const load = async (): Promise<void> => {
      while (!isOver) {
        const { status } = await call(client.port);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const loads = [load(), load(), load(), load()];
    for (let turn = 0; turn < 10; turn++) {
      ofClient.renew(turn % 2 === 0 ? web2 : web, ours.cert + theirs.cert);
      ofServer.renew(turn % 2 === 0 ? foreign : cart, ours.cert + theirs.cert);
      await later(20);
      client.apply(clientConfigOf(server.port, peerTls(turn % 2 === 0 ? [] : [idOf("cart")])));
      await later(20);
    }
    isOver = true;
    await Promise.all(loads);
    assert.deepEqual([...statuses.keys()], [200]);
    assert.ok((statuses.get(200) ?? 0) > 10);
  });
});
