// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect } from "node:net";

import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  raw,
  startProxy,
  startWith,
  tcpUpstream,
} from "../testing/harness.test.ts";
import { describeHttp1 } from "../testing/transports.test.ts";

describeHttp1("HTTP/1.1 on the wire", () => {
  afterEach(cleanUp);

  it("keeps content-length and chunked framing of requests", async () => {
    const seen: (string | undefined)[] = [];
    const { port } = await startWith((incoming, outgoing) => {
      seen.push(incoming.headers["content-length"], incoming.headers["transfer-encoding"]);
      incoming.resume().on("end", () => outgoing.end());
    });
    await call(port, { method: "POST", headers: { "content-length": "5" }, body: "hello" });
    await call(port, { method: "POST", headers: { "transfer-encoding": "chunked" }, body: "hello" });
    await call(port, { method: "POST", headers: { "content-length": "0" } });
    assert.deepEqual(seen, ["5", undefined, undefined, "chunked", "0", undefined]);
  });

  it("gives HEAD, 204 and 304 no body, and keeps their content-length where allowed", async () => {
    const { port } = await startWith((incoming, outgoing) => {
      const status = Number(incoming.url?.slice(1));
      outgoing.writeHead(
        status,
        status === 200 ? { "content-length": 5 } : status === 304 ? { etag: '"a"' } : {},
      );
      outgoing.end(incoming.method === "HEAD" || status !== 200 ? undefined : "hello");
    });
    const head = await call(port, { method: "HEAD", path: "/200" });
    assert.equal(head.headers["content-length"], "5");
    assert.equal(head.body, "");
    const none = await call(port, { path: "/204" });
    assert.equal(none.status, 204);
    assert.equal(none.headers["content-length"], undefined);
    assert.equal(none.headers["transfer-encoding"], undefined);
    const unchanged = await call(port, { path: "/304" });
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.headers["etag"], '"a"');
  });

  it("keeps the client's connection alive after each of these", async () => {
    const { port } = await startWith((incoming, outgoing) => {
      outgoing.writeHead(Number(incoming.url?.slice(1))).end();
    });
    const requests = ["GET /200", "HEAD /200", "GET /204", "GET /304", "GET /200"].map(
      (line) => `${line} HTTP/1.1\r\nhost: a\r\n\r\n`,
    );
    const received = await raw(port, requests);
    assert.deepEqual(
      received.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)),
      ["200", "200", "204", "304", "200"],
    );
  });

  it("answers pipelined requests one after the other and in order", async () => {
    let active = 0;
    let most = 0;
    const { port } = await startWith((incoming, outgoing) => {
      most = Math.max(most, ++active);
      setTimeout(
        () => {
          active--;
          outgoing.end(`<${incoming.url}>`);
        },
        incoming.url === "/0" ? 30 : 1,
      );
    });
    const received = await raw(
      port,
      [0, 1, 2, 3].map((index) => `GET /${index} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""),
    );
    assert.deepEqual(received.match(/<\/\d>/g), ["</0>", "</1>", "</2>", "</3>"]);
    assert.equal(most, 1);
  });

  it("passes Expect on and 100 Continue back, and only for a request that is allowed", async () => {
    const { port, policy } = await startWith((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => (body += chunk));
      incoming.on("end", () => outgoing.end(`${incoming.headers.expect} ${body}`));
    });
    const head = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    const received = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
        if (text.endsWith("100 Continue\r\n\r\n")) socket.write("hello");
        if (text.includes("hello")) socket.destroy();
      });
      socket.on("close", () => resolve(text));
      socket.write(head);
    });
    assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*100-continue hello/);
    policy.decide = () => ({
      ...(policy.decide,
      { requestHeaders: [], responseHeaders: [], quotas: [], shadowDenials: [], audits: [] }),
      checkCacheHit: true,
      quotaCacheHit: false,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "no" },
        decidedBy: { kind: "AccessPolicy", name: "p" },
      },
    });
    const refused = await raw(port, head);
    assert.match(refused, /^HTTP\/1\.1 403 /);
    assert.match(refused, /\r\nconnection: close\r\n/i);
  });

  it("drops hop-by-hop headers both ways, including those that Connection names", async () => {
    let seen: string[] = [];
    const { port } = await startWith((incoming, outgoing) => {
      seen = Object.keys(incoming.headers);
      outgoing.writeHead(200, {
        connection: "keep-alive, x-hop",
        "x-hop": "1",
        "x-kept": "1",
        "keep-alive": "timeout=7",
      });
      outgoing.end();
    });
    const received = await raw(
      port,
      "GET / HTTP/1.1\r\nhost: a\r\nconnection: x-secret, close, x-forwarded-for\r\nx-secret: 1\r\nte: trailers\r\n" +
        "upgrade: h2c\r\nproxy-connection: keep-alive\r\nx-end: 1\r\n\r\n",
    );
    for (const name of ["x-secret", "te", "upgrade", "proxy-connection"])
      assert.ok(!seen.includes(name), name);
    assert.ok(seen.includes("x-end") && seen.includes("x-forwarded-for"));
    assert.doesNotMatch(received, /x-hop/i);
    assert.match(received, /x-kept: 1/);
  });

  it("forwards a final response after informational ones", async () => {
    const { port: upstreamPort } = await tcpUpstream((socket) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    const { port } = await startProxy(configOf({ clusters: [clusterOf([endpointAt(upstreamPort)])] }));
    const reply = await call(port);
    assert.equal(reply.status, 200);
    assert.equal(reply.body, "ok");
  });

  it("keeps the case and the order of header names both ways", async () => {
    let seen: readonly string[] = [];
    const { port } = await startWith((incoming, outgoing) => {
      seen = incoming.rawHeaders;
      outgoing.writeHead(200, ["X-Upper", "1", "x-lower", "2", "X-MiXed", "3", "content-length", "0"]).end();
    });
    const received = await raw(
      port,
      "GET / HTTP/1.1\r\nHost: a\r\nX-Upper: 1\r\nx-lower: 2\r\nX-MiXed: 3\r\n\r\n",
    );
    assert.match(received, /\r\nX-Upper: 1\r\nx-lower: 2\r\nX-MiXed: 3\r\n/);
    assert.deepEqual(
      seen.filter((name) => /^x-(upper|lower|mixed)$/i.test(name)),
      ["X-Upper", "x-lower", "X-MiXed"],
    );
  });
});
