// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  groupOf,
  routeOf,
  startProxy,
} from "../testing/harness.test.ts";
import { MemoryTransport } from "../testing/memory-transport.test.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import { isViaPseudonym } from "../transport/fields/via-names.ts";

describe("the Via field", () => {
  afterEach(cleanUp);

  async function start(via?: string) {
    const transport = new MemoryTransport();
    const cluster = clusterOf([endpointAt(1)]);
    const routes = [routeOf(forwardTo(cluster.name))];
    const { policy } = await startProxy(configOf({ clusters: [cluster], routes }), {
      transport,
      ...(via === undefined ? {} : { via }),
    });
    const ask = (...fields: string[]) =>
      transport.request({ httpVersion: "1.1", headers: new HeaderList(["host", "a", ...fields]) });
    return { transport, policy, ask };
  }

  it("names the proxy in requests and in upstreams' responses, after the proxies before it", async () => {
    const { transport, policy, ask } = await start("edge-1");
    const client = ask();
    assert.deepEqual(transport.opened[0]?.head.headers.values("via"), ["1.1 edge-1"]);
    transport.opened[0]?.answer(200, ["via", "1.1 cache"]);
    assert.deepEqual(client.sent[0]?.headers.values("via"), ["1.1 cache, 1.1 edge-1"]);
    ask("via", "1.0 fred", "via", "1.1 p.example.net (Apache/1.1)");
    assert.deepEqual(transport.opened[1]?.head.headers.values("via"), [
      "1.0 fred, 1.1 p.example.net (Apache/1.1), 1.1 edge-1",
    ]);
    assert.equal(groupOf(policy.checks, "request")["repeated_headers"], undefined);
  });

  for (const field of ["1.1 edge-1", "1.0 fred, HTTP/1.1\tEDGE-1 (x)", "1.1 (a, b) edge-1"])
    it(`ends a loop: ${JSON.stringify(field)}`, async () => {
      const { transport, policy, ask } = await start("edge-1");
      const client = ask("via", "1.1 other", "via", field);
      assert.equal(client.sent[0]?.status, 508);
      assert.equal(client.sent[0]?.headers.get("x-purser-error"), "PURSER_PROXY_LOOP");
      assert.equal(client.sent[0]?.headers.has("via"), false);
      assert.equal(transport.opened.length, 0);
      assert.equal(policy.checks.length, 0);
    });

  for (const field of [
    "1.1 edge-11",
    "1.1 edge-1:80",
    "edge-1",
    "1.1 other (1.1 edge-1)",
    "1.1 a (x, 1.1 edge-1)",
    "",
  ])
    it(`is no loop without the proxy's own name: ${JSON.stringify(field)}`, async () => {
      const { transport, ask } = await start("edge-1");
      ask("via", field);
      assert.equal(transport.opened.length, 1);
    });

  it("is forwarded as it arrives without a pseudonym", async () => {
    const { transport, ask } = await start();
    const client = ask("via", "1.1 edge-1");
    assert.deepEqual(transport.opened[0]?.head.headers.values("via"), ["1.1 edge-1"]);
    transport.opened[0]?.answer(200);
    assert.equal(client.sent[0]?.headers.has("via"), false);
  });

  it("has a token or a host with a port as its name", () => {
    for (const good of ["edge-1", "p.example.net:8080"]) assert.ok(isViaPseudonym(good), good);
    for (const bad of ["", "a b", "a,b", "a\r\nb", "(a)", "a:b", "é"]) assert.ok(!isViaPseudonym(bad), bad);
  });
});
