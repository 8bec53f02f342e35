// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";

import {
  ALLOW,
  call,
  cleanUp,
  groupOf,
  later,
  raw,
  startWith,
  tcpUpstream,
  startProxy,
  configOf,
  clusterOf,
  endpointAt,
  until,
} from "../testing/harness.test.ts";

describe("forwarding", () => {
  afterEach(cleanUp);

  it("passes every method with its path, query and body on as they are", async () => {
    const { port } = await startWith((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => (body += chunk));
      incoming.on("end", () => outgoing.end(`${incoming.method} ${incoming.url} ${body}`));
    });
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
      const reply = await call(port, { method, path: "/a/b?x=%20&y", body: method === "GET" ? "" : "hello" });
      assert.equal(reply.body, `${method} /a/b?x=%20&y ${method === "GET" ? "" : "hello"}`);
    }
  });

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

  it("streams large bodies both ways without changing a byte", async () => {
    const { port } = await startWith((incoming, outgoing) => incoming.pipe(outgoing));
    const sent = randomBytes(8 * 1024 * 1024);
    const received = createHash("sha1");
    await new Promise<void>((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port, method: "POST", agent: false }, (incoming) => {
        incoming.on("data", (chunk: Buffer) => received.update(chunk));
        incoming.on("end", resolve);
      });
      outgoing.on("error", reject);
      outgoing.end(sent);
    });
    assert.equal(received.digest("hex"), createHash("sha1").update(sent).digest("hex"));
  });

  it("holds a fast upstream back while the client does not read", async () => {
    let written = 0;
    const { port } = await startWith((_incoming, outgoing) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pour = (): void => {
        while (written < 200 * 1024 * 1024 && !outgoing.destroyed) {
          written += chunk.byteLength;
          if (!outgoing.write(chunk)) return void outgoing.once("drain", pour);
        }
      };
      pour();
    });
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await later(300);
    const after = written;
    await later(100);
    socket.destroy();
    assert.equal(written, after);
    assert.ok(after < 32 * 1024 * 1024, `${after} bytes were buffered somewhere`);
  });

  it("holds a fast client back while the upstream does not read", async () => {
    const { port } = await startWith((incoming) => incoming.pause());
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 209715200\r\n\r\n");
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const pour = (): void => {
      while (written < 200 * 1024 * 1024 && !socket.destroyed) {
        written += chunk.byteLength;
        if (!socket.write(chunk)) return void socket.once("drain", pour);
      }
    };
    pour();
    await later(300);
    socket.destroy();
    assert.ok(written < 32 * 1024 * 1024, `${written} bytes were buffered somewhere`);
  });

  it("gives HEAD, 204 and 304 no body, and keeps what they say of its length", async () => {
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

  it("keeps the client's connection for the next request, after each of these", async () => {
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

  it("reuses the upstream's connections", async () => {
    const ports = new Set<number | undefined>();
    const { port } = await startWith((incoming, outgoing) => {
      ports.add(incoming.socket.remotePort);
      outgoing.end("x");
    });
    for (let index = 0; index < 5; index++) await call(port);
    assert.equal(ports.size, 1);
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

  it("says 100 Continue itself, and only when the request may go on", async () => {
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
    assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*undefined hello/);
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

  it("drops hop-by-hop headers both ways, those that Connection names too", async () => {
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

  it("keeps repeated and non-ASCII header values, and the authority", async () => {
    let seen: readonly string[] = [];
    const { port } = await startWith((incoming, outgoing) => {
      seen = incoming.rawHeaders;
      outgoing.writeHead(200, [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-latin", "\xe9"],
      ] as never);
      outgoing.end();
    });
    const reply = await call(port, {
      headers: { host: "Shop.Example:8080", "x-many": ["1", "2"], "x-latin": "\xe9" },
    });
    assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
    assert.equal(reply.headers["x-latin"], "\xe9");
    const pairs = seen.flatMap((name, index) =>
      index % 2 === 0 ? [`${name.toLowerCase()}: ${seen[index + 1]}`] : [],
    );
    assert.deepEqual(
      pairs.filter((pair) => pair.startsWith("x-many")),
      ["x-many: 1", "x-many: 2"],
    );
    assert.ok(pairs.includes("x-latin: \xe9"));
    assert.ok(pairs.includes("host: shop.example:8080"));
  });

  it("passes a final response on after interim ones", async () => {
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

  it("lets a client read an answer that came before its upload was over", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => {
      outgoing.writeHead(413, { "content-length": 3 });
      outgoing.end("big");
    });
    const big = Buffer.alloc(4 * 1024 * 1024);
    assert.equal((await call(port, { method: "POST", body: big })).status, 413);
    policy.decide = () => {
      throw new Error("a filter's bug");
    };
    assert.equal(
      (await call(port, { method: "POST", body: big, headers: { connection: "close" } })).status,
      500,
    );
  });

  it("abandons the upstream when the client leaves, and says so in the report", async () => {
    let aborted = false;
    const { port, policy } = await startWith((incoming) => {
      incoming.on("aborted", () => (aborted = true));
      incoming.socket.on("close", () => (aborted = true));
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await later(50);
    socket.destroy();
    await until(() => aborted && policy.reports.length === 1);
    const response = groupOf(policy.reports, "response");
    assert.equal(response["flags"], "DC");
    assert.equal(response["code"], 0);
  });

  it("does not forward a request whose client left while the policies were asked", async () => {
    let arrived = 0;
    const { port, policy } = await startWith((_incoming, outgoing) => {
      arrived++;
      outgoing.end();
    });
    policy.decide = async () => {
      await later(80);
      return ALLOW;
    };
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await later(20);
    socket.destroy();
    await later(120);
    assert.equal(arrived, 0);
    assert.equal(policy.reports.length, 1);
  });
});
