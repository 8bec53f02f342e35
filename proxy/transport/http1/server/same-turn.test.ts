// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { cleanUp, later, until } from "../../../testing/harness.test.ts";
import { get, post, RawClient, type SeenStream, type ServerRig, startServer } from "./server-rig.test.ts";

/** Two clients whose connections have been used. What both send in one call is read in one turn, in that order. */
async function twoClients(rig: ServerRig): Promise<readonly [RawClient, RawClient]> {
  const first = new RawClient(rig.port, get("/ready"));
  const second = new RawClient(rig.port, get("/ready"));
  await until(() => first.statuses === "200" && second.statuses === "200");
  rig.streams.length = 0;
  return [first, second];
}

describe("HTTP/1.1 requests that arrive in one turn", () => {
  afterEach(cleanUp);

  it("take turns: a client that pipelines does not keep the other waiting", async () => {
    const rig = await startServer();
    const [greedy, other] = await twoClients(rig);
    const targets = Array.from({ length: 200 }, (_, index) => `/${index}`);
    greedy.send(targets.map((target) => get(target)).join(""));
    other.send(get("/other"));
    await until(() => greedy.received.endsWith("</199>"));
    const order = rig.streams.map(({ stream }) => stream.head.target);
    assert.ok(order.indexOf("/other") <= 1, order.slice(0, 5).join());
    assert.deepEqual(
      order.filter((target) => target !== "/other"),
      targets,
    );
  });

  it("are not begun on connections that an earlier one of them cuts", async () => {
    const rig = await startServer((seen) => {
      if (seen.stream.head.target === "/cut") rig.server.cut();
      else seen.reply("ok");
    });
    const [first, second] = await twoClients(rig);
    first.send(get("/cut"));
    second.send(get("/late"));
    await until(() => first.ended && second.ended);
    assert.deepEqual(
      rig.streams.map(({ stream }) => stream.head.target),
      ["/cut"],
    );
  });

  it("are not begun behind a response when their connection is cut", async () => {
    const rig = await startServer((seen) => {
      seen.reply("ok");
      if (seen.stream.head.target === "/cut") rig.server.cut();
    });
    const [client] = await twoClients(rig);
    client.send(get("/cut") + get("/late"));
    await until(() => client.ended);
    await later(20);
    assert.deepEqual(
      rig.streams.map(({ stream }) => stream.head.target),
      ["/cut"],
    );
    assert.equal(client.statuses, "200,200");
  });

  it("bring no body to a request whose response has ended", async () => {
    let uploading: SeenStream | undefined;
    const rig = await startServer((seen) => {
      if (seen.stream.head.method === "POST") {
        uploading = seen;
        seen.stream.read(seen);
        return;
      }
      seen.reply("ok");
      if (seen.stream.head.target === "/end") uploading?.reply("early");
    });
    const [first, second] = await twoClients(rig);
    second.send(post("/upload", "first late").slice(0, -5));
    await until(() => uploading?.body === "first");
    first.send(get("/end"));
    second.send(` late${get("/next")}`);
    await until(() => second.statuses === "200,200,200");
    assert.equal(uploading?.body, "first");
    assert.deepEqual(uploading?.events, ["close: whole"]);
  });

  it("show as much of a response as was sent before it was cut", async () => {
    const { port, streams } = await startServer((seen) => {
      seen.head(200);
      seen.stream.write(Buffer.from("half"));
      seen.stream.reset();
    });
    const client = new RawClient(port, get("/"));
    await until(() => client.ended);
    assert.match(client.received, /^HTTP\/1\.1 200 [^]*half\r\n$/);
    await until(() => streams[0]?.events.join() === "close: local-reset");
  });

  it("do not count as answered when they are so many that the connection is closed", async () => {
    const { port, streams } = await startServer();
    const client = new RawClient(port, get("/").repeat(2_000));
    await until(() => client.closed || client.ended);
    await until(() => streams[0]?.events.join() === "close: connection-termination");
    assert.deepEqual([streams.length, client.received], [1, ""]);
  });

  it("are known to be behind a refused upgrade, although they came by a read of their own", async () => {
    const { port, streams } = await startServer((seen) => {
      if (seen.stream.head.method !== "POST") return seen.reply("no", 403);
      seen.stream.read(seen);
      seen.stream.pause();
    });
    const client = new RawClient(port, post("/", "body").slice(0, -4));
    await until(() => streams.length === 1);
    // The socket holds them while it is paused, and hands them over in one turn.
    for (const bytes of [
      "body",
      get("/upgrade", "connection: upgrade\r\nupgrade: websocket\r\n"),
      get("/smuggled"),
    ]) {
      client.send(bytes);
      await later(20);
    }
    streams[0]?.reply("early");
    await until(() => client.ended);
    assert.deepEqual(
      streams.map(({ stream }) => stream.head.target),
      ["/", "/upgrade"],
    );
    assert.match(client.received, /connection: close[^]*no$/);
  });

  it("are taken before the end of the client's side", async () => {
    const { port, streams } = await startServer((seen) => {
      if (seen.stream.head.target === "/slow") return;
      if (seen.stream.head.method === "POST")
        seen.stream.read({ onData() {}, onEnd: () => seen.reply("all") });
      else seen.reply("ok");
    });
    const client = new RawClient(port, get("/slow"));
    await until(() => streams.length === 1);
    client.send("x");
    client.socket.end();
    await until(() => streams[0]?.events.join() === "close: connection-termination");
    const whole = new RawClient(port, post("/", "y".repeat(40_000)));
    whole.socket.end();
    await until(() => whole.ended);
    assert.match(whole.received, /all$/);
  });
});
