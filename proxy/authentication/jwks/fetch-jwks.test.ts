// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createJwksClient, type JwksClient, MAX_JWKS_BYTES } from "./fetch-jwks.ts";

// The client of key sets against a real server, which does as it likes.

describe("a fetch of keys", () => {
  let client: JwksClient;
  let closeServer: () => Promise<void>;
  const requests: string[] = [];

  beforeEach(() => {
    client = createJwksClient();
    requests.length = 0;
  });
  afterEach(async () => {
    await client.close();
    await closeServer();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer((incoming, outgoing) => {
      requests.push(incoming.url ?? "");
      listener(incoming, outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closeServer = () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks?a=b`;
  }

  const never = (): AbortSignal => new AbortController().signal;

  it("gives the text and the cache's rules", async () => {
    const url = await serve((incoming, outgoing) => {
      assert.equal(incoming.headers["accept-encoding"], "identity");
      outgoing.setHeader("cache-control", "max-age=600").end('{"keys":[]}');
    });
    assert.deepEqual(await client.fetch(url, never()), { text: '{"keys":[]}', cacheControl: "max-age=600" });
    assert.deepEqual(requests, ["/jwks?a=b"]);
  });

  it("follows no redirect", async () => {
    const url = await serve((incoming, outgoing) => {
      outgoing.writeHead(302, { location: incoming.url }).end();
    });
    await assert.rejects(client.fetch(url, never()), /answered 302, and redirects are not followed/);
    assert.equal(requests.length, 1);
  });

  it("fails with the status of an error", async () => {
    const url = await serve((_incoming, outgoing) => outgoing.writeHead(500).end("x".repeat(100_000)));
    await assert.rejects(client.fetch(url, never()), /answered 500$/);
  });

  it("ends at the largest size, of an endless answer too", async () => {
    let sent = 0;
    const url = await serve((_incoming, outgoing) => {
      const chunk = Buffer.alloc(65_536, " ");
      const more = (): void => {
        while (!outgoing.destroyed && sent < 100 * 1_048_576) {
          sent += chunk.length;
          if (!outgoing.write(chunk)) return void outgoing.once("drain", more);
        }
      };
      more();
    });
    await assert.rejects(client.fetch(url, never()), /more than 524288 bytes/);
    assert.ok(sent < MAX_JWKS_BYTES + 20 * 1_048_576, `${sent} bytes were sent`);
  });

  it("ends with its signal when the server sends a byte at a time", async () => {
    const url = await serve((_incoming, outgoing) => {
      const timer = setInterval(() => outgoing.write(" "), 10);
      outgoing.on("close", () => clearInterval(timer));
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("late")), 100);
    const startMs = performance.now();
    await assert.rejects(client.fetch(url, controller.signal));
    assert.ok(performance.now() - startMs < 1_000);
  });

  it("fails when the connection breaks, and when nothing listens", async () => {
    const url = await serve((incoming) => incoming.socket.destroy());
    await assert.rejects(client.fetch(url, never()));
    await closeServer();
    await assert.rejects(client.fetch(url, never()), /ECONNREFUSED/);
    closeServer = async () => {};
  });

  it("fails when the server switches protocols", async () => {
    const switched = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    const url = await serve((incoming) => incoming.socket.end(switched));
    await assert.rejects(client.fetch(url, never()), /without an answer/);
  });

  for (const [where, answer] of [
    ["before the answer", undefined],
    ["within the answer", '{"keys":['],
  ] as const)
    it(`fails when the client is closed ${where}, and so does each later fetch`, async () => {
      let arrive: () => void = () => {};
      const arrived = new Promise<void>((resolve) => (arrive = resolve));
      const url = await serve((_incoming, outgoing) => {
        if (answer === undefined) arrive();
        else outgoing.write(answer, () => arrive());
      });
      const fetched = assert.rejects(client.fetch(url, never()));
      await arrived;
      await client.close();
      await fetched;
      await assert.rejects(client.fetch(url, never()), /client is closed/);
      assert.equal(requests.length, 1);
    });
});
