// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";

import { ALLOW, call, cleanUp, groupOf, later, startWith, until } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

describeTransports("forwarding", () => {
  afterEach(cleanUp);

  it("forwards every method with its path, query and body unchanged", async () => {
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

  it("applies back-pressure to the upstream while the client does not read", async () => {
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
    // Every buffer on the way fills first.
    let after = -1;
    for (let checks = 0; checks < 20 && written !== after; checks++) {
      after = written;
      await later(200);
    }
    socket.destroy();
    assert.equal(written, after);
    assert.ok(after < 32 * 1024 * 1024, `${after} bytes were buffered somewhere`);
  });

  it("applies back-pressure to the client while the upstream does not read", async () => {
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

  it("reuses the upstream's connections", async () => {
    const ports = new Set<number | undefined>();
    const { port } = await startWith((incoming, outgoing) => {
      ports.add(incoming.socket.remotePort);
      outgoing.end("x");
    });
    for (let index = 0; index < 5; index++) await call(port);
    assert.equal(ports.size, 1);
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

  it("lets a client read an early response before its upload is over", async () => {
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

  it("cancels the upstream request when the client leaves, and reports it", async () => {
    let arrived = false;
    let aborted = false;
    const { port, policy } = await startWith((incoming) => {
      arrived = true;
      incoming.on("aborted", () => (aborted = true));
      incoming.socket.on("close", () => (aborted = true));
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await until(() => arrived);
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
