// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ClientHttp2Session, connect as connectHttp2, createServer, type Http2Server } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

/** As many as fit in 20,000 file descriptors of the proxy, which has two for each, and of this process. */
const STREAMS = 4_000;
const REFUSED = 100;

/** Streams of HTTP/2 share file descriptors. */
const HTTP2_STREAMS = 10_000;
/** Envoy's and the proxy's default of SETTINGS_MAX_CONCURRENT_STREAMS. */
const STREAMS_PER_CONNECTION = 100;

const http2Service = (port: number): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: feed }
spec:
  hosts: [feed]
  ports: [{ number: 80, name: http2, protocol: HTTP2 }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { http2: ${port} } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: feed }
spec:
  host: feed
  trafficPolicy:
    connectionPool:
      tcp: { maxConnections: ${HTTP2_STREAMS} }
      http: { http2MaxRequests: ${HTTP2_STREAMS}, http1MaxPendingRequests: ${HTTP2_STREAMS} }
`;

const MANY_CONNECTIONS = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec:
  host: shop
  trafficPolicy:
    connectionPool:
      tcp: { maxConnections: ${STREAMS} }
      http: { http2MaxRequests: ${STREAMS}, http1MaxPendingRequests: ${STREAMS} }
`;

const allowed = (users: string): string => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: users }
spec:
  action: ALLOW
  when: ${users}
`;

describe(`${STREAMS} open streams`, function () {
  this.timeout(120_000);
  let mesh: MeshProgram;
  const sockets: Socket[] = [];

  before(async () => {
    mesh = await startMesh(allowed('$exists(request.headers."x-user")'), {
      listener: (_incoming, outgoing) => {
        outgoing.writeHead(200, { "content-type": "text/event-stream" });
        outgoing.write("data: open\n\n");
      },
    });
    mesh.folder.write("rule.yaml", MANY_CONNECTIONS);
    await eventually(async () => {
      const text = await (await fetch(`${mesh.admin}/clusters`)).text();
      assert.match(text, new RegExp(`max_requests::${STREAMS}`));
    });
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await mesh?.stop();
  });

  const edgePort = (): number => Number(new URL(mesh.edge).port);

  it("are closed within a second when a change of the policies refuses them: exactly those", async () => {
    const closedUsers: string[] = [];
    const opened = Array.from({ length: STREAMS }, (_, index) => {
      const user = index % (STREAMS / REFUSED) === 0 ? "bob" : `user-${index}`;
      return new Promise<void>((resolve) => {
        const socket = connect(edgePort(), "127.0.0.1");
        sockets.push(socket);
        socket.on("data", (chunk) => {
          if (chunk.includes("data: open")) resolve();
        });
        socket.on("error", () => undefined);
        socket.on("close", () => closedUsers.push(user));
        socket.write(`GET /events HTTP/1.1\r\nhost: shop\r\nx-user: ${user}\r\n\r\n`);
      });
    });
    await Promise.all(opened);
    const metric = async (pattern: RegExp): Promise<number> =>
      Number(pattern.exec(await (await fetch(`${mesh.admin}/stats/prometheus`)).text())?.[1] ?? 0);
    assert.equal(await metric(/^purser_proxy_long_streams (\d+)$/m), STREAMS);

    const startMs = performance.now();
    mesh.folder.write("policies.yaml", allowed('request.headers."x-user" != "bob"'));
    await eventually(
      async () => {
        assert.equal(closedUsers.length, REFUSED);
      },
      { everyMs: 10 },
    );
    const tookMs = performance.now() - startMs;
    await eventually(async () => {
      const decided = await metric(/^purser_proxy_stream_rechecks_total\{outcome="allowed"\} (\d+)$/m);
      assert.equal(decided, STREAMS - REFUSED);
    });
    assert.deepEqual(new Set(closedUsers), new Set(["bob"]));
    assert.equal(closedUsers.length, REFUSED);
    console.log(`      closed ${Math.round(tookMs)} ms after the file was written`);
    // A change is read after 500 ms at the latest, and the streams have a second from then on.
    assert.ok(tookMs < 1_500, `${tookMs} ms`);
  });
});

describe(`${HTTP2_STREAMS} open streams of HTTP/2`, function () {
  this.timeout(180_000);
  let mesh: MeshProgram;
  let feed: Http2Server;
  const sessions: ClientHttp2Session[] = [];

  before(async () => {
    // Node 24 holds more memory for each stream than Node 20: 10 MB, the default, are for 7,000.
    feed = createServer({ maxSessionMemory: 100 }, (_incoming, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write("data: open\n\n");
    });
    await new Promise<void>((resolve) => feed.listen(0, "127.0.0.1", resolve));
    mesh = await startMesh(allowed('$exists(request.headers."x-user")'));
    mesh.folder.write("feed.yaml", http2Service((feed.address() as AddressInfo).port));
    await eventually(async () => {
      const text = await (await fetch(`${mesh.admin}/clusters`)).text();
      assert.match(text, new RegExp(`max_requests::${HTTP2_STREAMS}`));
    });
  });
  after(async () => {
    for (const session of sessions) session.destroy();
    await mesh?.stop();
    feed?.close();
  });

  it("are closed within a second when a change of the policies refuses them: exactly those", async () => {
    const closedUsers: string[] = [];
    const open = (session: ClientHttp2Session, user: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":authority": "feed", ":path": "/events", "x-user": user });
        stream.once("response", ({ ":status": status }) => {
          if (status !== 200) reject(new Error(`${user} got ${status}`));
        });
        stream.on("data", () => resolve());
        stream.on("error", () => undefined);
        stream.on("close", () => closedUsers.push(user));
      });
    for (let first = 0; first < HTTP2_STREAMS; first += STREAMS_PER_CONNECTION) {
      const session = connectHttp2(mesh.edge);
      sessions.push(session);
      const users = Array.from({ length: STREAMS_PER_CONNECTION }, (_, index) => first + index);
      await Promise.all(
        users.map((index) =>
          open(session, index % (HTTP2_STREAMS / REFUSED) === 0 ? "bob" : `user-${index}`),
        ),
      );
    }
    const metric = async (pattern: RegExp): Promise<number> =>
      Number(pattern.exec(await (await fetch(`${mesh.admin}/stats/prometheus`)).text())?.[1] ?? 0);
    assert.equal(await metric(/^purser_proxy_long_streams (\d+)$/m), HTTP2_STREAMS);

    const startMs = performance.now();
    mesh.folder.write("policies.yaml", allowed('request.headers."x-user" != "bob"'));
    await eventually(async () => assert.equal(closedUsers.length, REFUSED), { everyMs: 10 });
    const tookMs = performance.now() - startMs;
    await eventually(async () => {
      const decided = await metric(/^purser_proxy_stream_rechecks_total\{outcome="allowed"\} (\d+)$/m);
      assert.equal(decided, HTTP2_STREAMS - REFUSED);
    });
    assert.deepEqual(new Set(closedUsers), new Set(["bob"]));
    assert.equal(closedUsers.length, REFUSED);
    console.log(`      closed ${Math.round(tookMs)} ms after the file was written`);
    // A change is read after 500 ms at the latest, and the streams have a second from then on.
    assert.ok(tookMs < 1_500, `${tookMs} ms`);
  });
});
