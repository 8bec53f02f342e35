// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { HashSource } from "../../core/traffic/resources/load-balancer.ts";
import { NO_HEADER_OPERATIONS } from "../../core/traffic/resources/route.ts";
import {
  clusterOf,
  configOf,
  cleanUp,
  endpointAt,
  forwardTo,
  routeOf,
  startProxy,
} from "../testing/harness.test.ts";
import { MemoryTransport } from "../testing/memory-transport.test.ts";
import { HeaderList } from "../transport/contract/header-list.ts";

const clusters = ["v1", "v2"].map((name) => clusterOf([endpointAt(1)], { name }));

async function start(splitOn: HashSource, weights: readonly [number, number] = [50, 50]) {
  const transport = new MemoryTransport();
  const destinations = clusters.map(({ name }, index) => ({
    cluster: name,
    weight: weights[index] ?? 0,
    requestHeaders: { ...NO_HEADER_OPERATIONS, set: { "x-to": name } },
    responseHeaders: NO_HEADER_OPERATIONS,
  }));
  await startProxy(configOf({ clusters, routes: [routeOf(forwardTo("v1", { destinations, splitOn }))] }), {
    transport,
  });
  /** Sends a request; returns its destination, and the response's head. */
  return (fields: readonly string[] = [], connection = "memory-1") => {
    const client = transport.request(
      { headers: new HeaderList(["host", "a", ...fields]) },
      { id: connection },
    );
    const stream = transport.opened.at(-1);
    stream?.answer(200);
    stream?.receiver.onEnd(undefined);
    return {
      to: stream?.head.headers.get("x-to"),
      cookies: client.sent[0]?.headers.values("set-cookie") ?? [],
    };
  };
}

describe("weighted routes that keep a client at its destination", () => {
  afterEach(cleanUp);

  it("send equal values to the same destination, in every proxy alike", async () => {
    const splitOn: HashSource = { kind: "header", name: "x-user" };
    const [one, other] = [await start(splitOn), await start(splitOn)];
    const destinations = Array.from({ length: 50 }, (_, user) => one(["x-user", `${user}`]).to);
    assert.deepEqual(new Set(destinations), new Set(["v1", "v2"]));
    for (const [user, to] of destinations.entries())
      for (const send of [one, other]) assert.equal(send(["x-user", `${user}`]).to, to);
  });

  it("draw the destination of a request without the value", async () => {
    const send = await start({ kind: "header", name: "x-user" });
    const drawn = new Set(Array.from({ length: 60 }, () => send().to));
    assert.equal(drawn.size, 2);
  });

  it("give a client a cookie that keeps it at the destination of its first request", async () => {
    const send = await start({ kind: "cookie", name: "canary", ttlSeconds: 60, attributes: [] });
    for (let client = 0; client < 20; client++) {
      const first = send([], `connection-${client}`);
      const [cookie = ""] = first.cookies;
      assert.match(cookie, /^canary=\w+; Max-Age=60; HttpOnly$/);
      const again = send(["cookie", `a=b; ${cookie.split(";")[0]}`], "another");
      assert.deepEqual([again.to, again.cookies], [first.to, []]);
    }
  });

  it("move clients only to the share that grew", async () => {
    const splitOn: HashSource = { kind: "header", name: "x-user" };
    const [before, after] = [await start(splitOn, [90, 10]), await start(splitOn, [60, 40])];
    let moved = 0;
    for (let user = 0; user < 300; user++) {
      const from = before(["x-user", `${user}`]).to;
      const to = after(["x-user", `${user}`]).to;
      if (from === to) continue;
      moved++;
      assert.equal(to, "v2");
    }
    assert.ok(moved > 60 && moved < 120, `${moved}`);
  });
});
