// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "node:http";

import {
  ALLOW,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  forwardTo,
  groupOf,
  raw,
  type Rig,
  routeOf,
  startProxy,
  startWith,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import { describeHttp1 } from "../testing/transports.test.ts";

/** An upstream that answers the first bytes of each connection with `response`. */
async function answering(response: string): Promise<Rig> {
  const { port } = await tcpUpstream((socket) => socket.once("data", () => socket.write(response)));
  return startProxy(configOf({ clusters: [clusterOf([endpointAt(port)])] }));
}

const CHUNKED = "HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n";
const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

describeHttp1("response trailers", () => {
  afterEach(cleanUp);

  it("follow the body, with the upstream's announcement", async () => {
    const { port, policy } = await answering(
      `${CHUNKED}2\r\nhi\r\n0\r\nx-sum: 7\r\ngrpc-status: 5\r\ngrpc-message: no such book\r\n\r\n`,
    );
    const received = await raw(port, GET);
    assert.match(received, /\r\ntrailer: x-sum\r\n/i);
    assert.match(
      received,
      /\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\ngrpc-status: 5\r\ngrpc-message: no such book\r\n\r\n$/,
    );
    await until(() => policy.reports.length === 1);
    const { grpc_status, grpc_message } = groupOf(policy.reports, "response");
    assert.deepEqual([grpc_status, grpc_message], ["5", "no such book"]);
  });

  it("may come without a body", async () => {
    const { port } = await answering(`${CHUNKED}0\r\nx-sum: 0\r\n\r\n`);
    assert.match(await raw(port, GET), /\r\n\r\n0\r\nx-sum: 0\r\n\r\n$/);
  });

  it("lose forbidden fields", async () => {
    const forbidden =
      "host: b\r\nset-cookie: a=b\r\nkeep-alive: x\r\ncontent-type: text/html\r\nlocation: /\r\n";
    const { port } = await answering(`${CHUNKED}2\r\nhi\r\n0\r\n${forbidden}x-sum: 7\r\n\r\n`);
    assert.match(await raw(port, GET), /\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n$/);
  });

  it("lose fields that policies and routes remove", async () => {
    const { port: upstream } = await tcpUpstream((socket) =>
      socket.once("data", () => socket.write(`${CHUNKED}0\r\nx-a: 1\r\nX-B: 2\r\nx-sum: 7\r\n\r\n`)),
    );
    const cluster = clusterOf([endpointAt(upstream)]);
    const responseHeaders = { set: {}, add: {}, remove: ["x-a"] };
    const routes = [routeOf(forwardTo(cluster.name), { responseHeaders })];
    const { port, policy } = await startProxy(configOf({ clusters: [cluster], routes }));
    policy.decide = () => ({ ...ALLOW, responseHeaders: [{ operation: "remove", name: "x-b" }] });
    assert.match(await raw(port, GET), /\r\n\r\n0\r\nx-sum: 7\r\n\r\n$/);
  });

  it("are dropped for a client of HTTP/1.0, which has no chunks", async () => {
    const { port } = await answering(`${CHUNKED}2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n`);
    const received = await raw(port, "GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    assert.match(received, /\r\n\r\nhi$/);
    assert.doesNotMatch(received, /trailer|x-sum/i);
  });

  it("may be announced by a response that has none", async () => {
    for (const head of [
      "content-length: 2\r\n\r\nhi",
      "transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ]) {
      const { port } = await answering(`HTTP/1.1 200 OK\r\ntrailer: x-sum\r\n${head}`);
      assert.match(await raw(port, GET), /^HTTP\/1\.1 200 /);
    }
    const { port } = await answering("HTTP/1.1 204 No Content\r\ntrailer: x-sum\r\n\r\n");
    assert.match(await raw(port, GET), /^HTTP\/1\.1 204 /);
  });
});

describeHttp1("request trailers", () => {
  afterEach(cleanUp);

  interface Seen {
    body: string;
    headers: Record<string, unknown>;
    trailers: Record<string, unknown>;
  }

  async function start(more: Parameters<typeof startWith>[1] = {}): Promise<Rig & { seen: Seen[] }> {
    const seen: Seen[] = [];
    const rig = await startWith((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => (body += chunk));
      incoming.on("end", () => {
        seen.push({ body, headers: incoming.headers, trailers: incoming.trailers });
        outgoing.end(`got ${body}`);
      });
    }, more);
    return { ...rig, seen };
  }

  const post = (trailers: string, body = "2\r\nhi\r\n"): string =>
    "POST / HTTP/1.1\r\nhost: a\r\nx-user: ann\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n" +
    `${body}0\r\n${trailers}\r\n`;

  it("follow the body when they are announced", async () => {
    const { port, seen, policy } = await start();
    const received = await raw(port, [post("x-sum: 7\r\n").slice(0, -18), post("x-sum: 7\r\n").slice(-18)]);
    assert.match(received, /\r\ngot hi/);
    assert.deepEqual({ ...seen[0]?.trailers }, { "x-sum": "7" });
    assert.equal(seen[0]?.headers["trailer"], "x-sum");
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "request")["size"], 2);
  });

  it("may come without a body", async () => {
    const { port, seen } = await start();
    await raw(port, post("x-sum: 0\r\n", ""));
    assert.deepEqual([seen[0]?.body, { ...seen[0]?.trailers }], ["", { "x-sum": "0" }]);
  });

  it("lose forbidden fields, and fields that were headers of the request", async () => {
    const { port, seen } = await start();
    const dropped =
      "host: b\r\nauthorization: x\r\nx-user: admin\r\n" +
      "x-forwarded-for: 10.0.0.1\r\nx-real-ip: 10.0.0.1\r\nx-envoy-external-address: 10.0.0.1\r\nx_user: admin\r\n";
    await raw(port, post(`${dropped}x-sum: 7\r\n`));
    assert.deepEqual({ ...seen[0]?.trailers }, { "x-sum": "7" });
    assert.equal(seen[0]?.headers["x-user"], "ann");
  });

  it("lose fields that policies and routes remove", async () => {
    const remove = (name: string) => ({ set: {}, add: {}, remove: [name] });
    const { port, seen, policy } = await start({ route: { requestHeaders: remove("x-a") } });
    policy.decide = () => ({ ...ALLOW, requestHeaders: [{ operation: "remove", name: "x-b" }] });
    await raw(port, post("x-a: 1\r\nX-B: 2\r\nx-sum: 7\r\n"));
    assert.deepEqual({ ...seen[0]?.trailers }, { "x-sum": "7" });
  });

  it("with framing fields make the proxy refuse the request", async () => {
    for (const name of ["content-length: 9", "transfer-encoding: chunked"]) {
      const { port, seen } = await start();
      assert.match(await raw(port, post(`${name}\r\n`)), /^HTTP\/1\.1 400 [^]*connection: close/i, name);
      assert.deepEqual(seen, [], name);
    }
  });

  it("fail like any request when the upstream is away or resets", async () => {
    const { port: resetting } = await tcpUpstream((socket) => socket.on("data", () => socket.destroy()));
    const { port: garbage } = await tcpUpstream((socket) =>
      socket.on("data", () => socket.write("SSH\r\n\r\n")),
    );
    for (const [upstream, status, flag] of [
      [await deadPort(), 503, "UF"],
      [resetting, 503, "UC"],
      [garbage, 502, "UPE"],
    ] as const) {
      const rig = await startProxy(configOf({ clusters: [clusterOf([endpointAt(upstream)])] }));
      assert.match(await raw(rig.port, post("x-sum: 7\r\n")), new RegExp(`^HTTP/1.1 ${status} `));
      await until(() => rig.policy.reports.length === 1);
      assert.equal(groupOf(rig.policy.reports, "response")["flags"], flag);
    }
  });

  it("stream a large body with back-pressure, and allow an early response", async () => {
    const { port } = await startWith((incoming, outgoing) => void incoming.pipe(outgoing));
    const sent = Buffer.alloc(4 * 1024 * 1024, "x");
    const received = await new Promise<{ bytes: number }>((resolve, reject) => {
      const headers = { trailer: "x-sum", "transfer-encoding": "chunked" };
      const outgoing = request(
        { host: "127.0.0.1", port, method: "POST", headers, agent: false },
        (incoming) => {
          let bytes = 0;
          incoming.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
          incoming.on("end", () => resolve({ bytes }));
        },
      );
      outgoing.on("error", reject);
      outgoing.write(sent);
      outgoing.addTrailers({ "x-sum": "7" });
      outgoing.end();
    });
    assert.equal(received.bytes, sent.byteLength);
    const early = await startWith(
      (_incoming, outgoing) => void outgoing.writeHead(413, { "content-length": 3 }).end("big"),
    );
    assert.match(await raw(early.port, post("x-sum: 7\r\n")), /^HTTP\/1\.1 413 /);
  });
});
