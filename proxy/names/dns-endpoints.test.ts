// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type DnsAnswer, type DnsServer, startDnsServer } from "../../test/support/dns-server.ts";
import { eventually } from "../../test/support/eventually.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  httpUpstream,
  onCleanup,
  startProxy,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import { createDnsLookup } from "./dns-lookup.ts";

// A proxy, a DNS server and upstreams on real sockets. All of 127.0.0.0/8 is loopback.

describeTransports("an endpoint with a name", () => {
  let answer: DnsAnswer;
  let server: DnsServer;

  beforeEach(async () => {
    server = await startDnsServer((_name, type) => (type === "A" ? answer : "nxdomain"));
    onCleanup(() => server.close());
  });
  afterEach(cleanUp);

  const at = (ttl: number, ...addresses: readonly string[]): DnsAnswer => ({ addresses, ttl });

  /** A proxy in front of the name, and an upstream on 127.0.0.1 that answers 200. */
  async function start(lookup: "all" | "first" = "all") {
    const upstream = await httpUpstream((_request, response) => response.end("here"));
    const endpoint = endpointAt(upstream.port, { address: "db.example.com", lookup });
    const lookUp = createDnsLookup({
      servers: [server.address],
      hostsFile: "/nonexistent",
      resolvConf: "/nonexistent",
      timeoutMs: 200,
    });
    return startProxy(configOf({ clusters: [clusterOf([endpoint])] }), { lookUp });
  }

  it("is looked up once for many requests", async () => {
    answer = at(60, "127.0.0.1");
    const { port } = await start();
    for (let index = 0; index < 20; index++) assert.equal((await call(port)).status, 200);
    assert.deepEqual(server.queries, ["A db.example.com"]);
  });

  it("is followed to its new address when the TTL has passed", async () => {
    answer = at(1, "127.0.0.1");
    const { proxy, port } = await start();
    assert.equal((await call(port)).status, 200);
    answer = at(1, "127.0.0.2");
    await eventually(async () => {
      const addresses = proxy.resources()?.endpoints.resources[0]?.endpoints.map(({ address }) => address);
      assert.deepEqual(addresses, ["127.0.0.2"]);
    });
    // Nobody listens there.
    assert.equal((await call(port)).status, 503);
  });

  it("has every address with DNS, so that a request is tried on another", async () => {
    answer = at(60, "127.0.0.1", "127.0.0.2");
    const { proxy } = await start();
    assert.equal(proxy.resources()?.endpoints.resources[0]?.endpoints.length, 2);
  });

  it("keeps its address while the server fails", async () => {
    answer = at(1, "127.0.0.1");
    const { port } = await start();
    answer = "servfail";
    await eventually(async () => assert.ok(server.queries.length >= 3));
    assert.equal((await call(port)).status, 200);
  });

  for (const without of ["nxdomain", "servfail", "silent"] as const)
    it(`gets 503 at once when it never had an address: ${without}`, async () => {
      answer = without;
      const { port, policy } = await start();
      const beganMs = performance.now();
      assert.equal((await call(port)).status, 503);
      assert.ok(performance.now() - beganMs < 1_000);
      const [report] = policy.reports as readonly { context?: { proxy_error_code?: string } }[];
      assert.equal(report?.context?.proxy_error_code, "PURSER_PROXY_NO_ENDPOINT");
    });

  it("is found again when it exists", async () => {
    answer = "nxdomain";
    const { port } = await start();
    assert.equal((await call(port)).status, 503);
    answer = at(60, "127.0.0.1");
    await eventually(async () => assert.equal((await call(port)).status, 200));
  });
});
