// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request, type IncomingMessage, type RequestListener } from "node:http";
import { connect } from "node:net";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { RetryPolicy, Route, RouteAction } from "../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY } from "../../core/traffic/retry.ts";
import type { ProxyOptions } from "../proxy.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  forwardTo,
  httpUpstream,
  later,
  type Rig,
  routeOf,
  startProxy,
  until,
} from "../testing/harness.test.ts";
import { currentScheme, describeTransports, upstreamProtocol } from "../testing/transports.test.ts";

const MAIN = "outbound|80|v1|reviews.default";
const MIRROR = "outbound|80|v2|reviews.default";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An upstream that records whole requests and answers as told. */
function recorder(status = 200) {
  const seen: Seen[] = [];
  const handler: RequestListener = (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method, url, headers } = incoming;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString("latin1") });
      outgoing.writeHead(status);
      outgoing.end(`answer ${status}`);
    });
  };
  return { seen, handler };
}

interface Options {
  readonly action?: Partial<Extract<RouteAction, { kind: "forward" }>>;
  readonly route?: Partial<Route>;
  readonly mirrorCluster?: Partial<Cluster>;
  readonly percentage?: number;
  readonly proxy?: Partial<ProxyOptions>;
  readonly retry?: RetryPolicy;
}

function configFor(mainPort: number, mirrorPort: number, options: Options = {}) {
  const { action, route, mirrorCluster, percentage = 100, retry } = options;
  // Hundreds of connections at once take their time on a busy machine.
  const connectTimeoutMs = 15_000;
  const main = clusterOf([endpointAt(mainPort)], { name: MAIN, connectTimeoutMs });
  const mirror = clusterOf([endpointAt(mirrorPort)], { name: MIRROR, connectTimeoutMs, ...mirrorCluster });
  const forward = forwardTo(MAIN, {
    mirrors: [{ cluster: MIRROR, percentage }],
    ...(retry === undefined ? {} : { retry }),
    ...action,
  });
  return configOf({ clusters: [main, mirror], routes: [routeOf(forward, route)] });
}

async function resultsOf({ proxy }: Rig): Promise<Readonly<Record<string, number>>> {
  const text = await proxy.registry.metrics();
  const line = /^purser_proxy_mirrored_requests_total\{cluster="([^"]*)",result="(\w+)"\} (\d+)$/gm;
  return Object.fromEntries([...text.matchAll(line)].map(([, , result, count]) => [result, Number(count)]));
}

async function untilResults(rig: Rig, expected: Readonly<Record<string, number>>): Promise<void> {
  const end = Date.now() + 6_000;
  while (Date.now() < end) {
    try {
      return assert.deepEqual(await resultsOf(rig), expected);
    } catch {
      await later(10);
    }
  }
  assert.deepEqual(await resultsOf(rig), expected);
}

describeTransports("mirroring", () => {
  afterEach(cleanUp);

  async function start(mirrorHandler: RequestListener, options: Options = {}) {
    const main = recorder();
    const mainUpstream = await httpUpstream(main.handler);
    const mirror = await httpUpstream(mirrorHandler);
    const config = configFor(mainUpstream.port, mirror.port, options);
    const rig = await startProxy(config, options.proxy);
    return { rig, main, mainPort: mainUpstream.port, mirrorPort: mirror.port };
  }

  it("sends the request as it goes upstream, for the host with -shadow", async () => {
    const mirror = recorder(503);
    const { rig, main } = await start(mirror.handler, {
      action: { rewrite: { path: { kind: "prefix", value: "/v1" } } },
      route: { requestHeaders: { set: { "x-set": "1" }, add: {}, remove: ["x-gone"] } },
    });
    const headers = { host: "shop.example:8080", "x-gone": "1", "X-Many": ["a", "b"] };
    const reply = await call(rig.port, { path: "/a?b=c", headers });
    assert.deepEqual([reply.status, reply.body], [200, "answer 200"]);
    await untilResults(rig, { "5xx": 1 });
    const [sent] = main.seen;
    const [copy] = mirror.seen;
    assert.equal(copy?.url, "/v1/a?b=c");
    const host = "shop.example-shadow:8080";
    const authority = upstreamProtocol() === "http2" ? { ":authority": host } : {};
    assert.deepEqual(
      { ...copy, headers: { ...copy?.headers } },
      { ...sent, headers: { ...sent?.headers, ...authority, host } },
    );
    assert.deepEqual([rig.policy.checks.length, rig.policy.reports.length], [1, 1]);
  });

  for (const [title, retry, chunked] of [
    ["of a declared length", undefined, false],
    ["in chunks", undefined, true],
    ["that is buffered for retries", DEFAULT_RETRY_POLICY, false],
  ] as const) {
    it(`copies a body ${title}`, async () => {
      const mirror = recorder();
      const { rig, main } = await start(mirror.handler, retry === undefined ? {} : { retry });
      const body = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
      const headers = chunked ? { "transfer-encoding": "chunked" } : {};
      await call(rig.port, { method: "POST", body, headers });
      await untilResults(rig, { "2xx": 1 });
      assert.equal(main.seen[0]?.body, body.toString("latin1"));
      assert.equal(mirror.seen[0]?.body, body.toString("latin1"));
    });
  }

  it("copies a body that comes byte by byte", async () => {
    const mirror = recorder();
    const { rig } = await start(mirror.handler);
    const outgoing = request({ port: rig.port, host: "127.0.0.1", method: "POST", agent: false });
    const answered = new Promise((resolve) => outgoing.on("response", (reply) => resolve(reply.resume())));
    for (let index = 0; index < 5_000; index++) outgoing.write("x");
    outgoing.end();
    await answered;
    await untilResults(rig, { "2xx": 1 });
    assert.equal(mirror.seen[0]?.body, "x".repeat(5_000));
  });

  it("does not copy a body of more than 64 KiB, declared or not, and forwards it", async () => {
    const mirror = recorder();
    const { rig, main } = await start(mirror.handler);
    const body = "x".repeat(64 * 1024 + 1);
    await call(rig.port, { method: "POST", body });
    await call(rig.port, { method: "POST", body, headers: { "transfer-encoding": "chunked" } });
    await call(rig.port, { method: "POST", body: body.slice(1) });
    await untilResults(rig, { too_large: 2, "2xx": 1 });
    assert.deepEqual(
      main.seen.map((each) => each.body.length),
      [body.length, body.length, body.length - 1],
    );
  });

  it("neither waits for a mirror that hangs nor fails with it, and gives it up after the timeout", async () => {
    const { rig } = await start(() => {}, { action: { timeoutMs: 300 } });
    const before = performance.now();
    assert.equal((await call(rig.port)).status, 200);
    assert.ok(performance.now() - before < 250);
    assert.deepEqual(await resultsOf(rig), {});
    await untilResults(rig, { timeout: 1 });
  });

  it("gives up a mirror that answers without end", async () => {
    const { rig } = await start(
      (_incoming, outgoing) => {
        const timer = setInterval(() => outgoing.write("x"), 10);
        outgoing.on("close", () => clearInterval(timer));
      },
      { action: { timeoutMs: 200 } },
    );
    assert.equal((await call(rig.port)).status, 200);
    await untilResults(rig, { timeout: 1 });
  });

  it("counts a mirror that cannot be reached, that breaks off, or that has no endpoint", async () => {
    const main = await httpUpstream(recorder().handler);
    const rig = await startProxy(configFor(main.port, await deadPort()));
    assert.equal((await call(rig.port)).status, 200);
    await untilResults(rig, { failed: 1 });
    const breaking = await httpUpstream((incoming) => incoming.socket.destroy());
    rig.apply(configFor(main.port, breaking.port));
    assert.equal((await call(rig.port)).status, 200);
    await untilResults(rig, { failed: 2 });
    const none = configFor(main.port, 1);
    const [first] = none.endpoints.resources;
    assert.ok(first !== undefined);
    rig.apply({ ...none, endpoints: { version: "none", resources: [first] } });
    assert.equal((await call(rig.port)).status, 200);
    await untilResults(rig, { failed: 2, no_endpoint: 1 });
  });

  it("finishes a copy whose mirror is removed meanwhile", async () => {
    let answer: (() => void) | undefined;
    const { rig, mainPort } = await start((_incoming, outgoing) => {
      answer = () => outgoing.end("late");
    });
    await call(rig.port);
    await until(() => answer !== undefined);
    rig.apply(configOf({ clusters: [clusterOf([endpointAt(mainPort)], { name: MAIN })] }));
    assert.equal((await call(rig.port)).status, 200);
    await later(50);
    answer?.();
    await untilResults(rig, { "2xx": 1 });
  });

  it("does not send the half of a body that the client broke off", async () => {
    const mirror = recorder();
    const { rig } = await start(mirror.handler);
    const socket = connect(rig.port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf");
    await later(50);
    socket.destroy();
    await untilResults(rig, { incomplete: 1 });
    assert.equal(mirror.seen.length, 0);
  });

  it("has at most 256 copies under way", async () => {
    const held: (() => void)[] = [];
    const { rig } = await start((_incoming, outgoing) => void held.push(() => outgoing.end()), {
      action: { timeoutMs: 60_000 },
    });
    const replies = await Promise.all(Array.from({ length: 300 }, () => call(rig.port)));
    assert.ok(replies.every(({ status }) => status === 200));
    const { overflow = 0, ...others } = await resultsOf(rig);
    assert.deepEqual(others, {});
    // A copy that would wait for another copy's connection overflows too, and a connection with TLS takes a while.
    if (currentScheme() === "http") assert.equal(overflow, 44);
    else assert.ok(overflow >= 44, `${overflow} overflows`);
    const sent = 300 - overflow;
    await until(() => held.length === sent);
    for (const answer of held.splice(0)) answer();
    await untilResults(rig, { overflow, "2xx": sent });
    await call(rig.port);
    await until(() => held.length === 1);
    held[0]?.();
    await untilResults(rig, { overflow, "2xx": sent + 1 });
  });

  it("keeps to the limits of the mirror's cluster", async () => {
    const limited = await start(() => {}, { mirrorCluster: { maxRequests: 1 } });
    for (let index = 0; index < 3; index++) await call(limited.rig.port);
    assert.deepEqual(await resultsOf(limited.rig), { overflow: 2 });
    // One connection of HTTP/2 has room for all requests.
    if (upstreamProtocol() === "http2") return;
    const narrow = await start(() => {}, { mirrorCluster: { maxConnectionsPerEndpoint: 1 } });
    for (let index = 0; index < 3; index++) await call(narrow.rig.port);
    assert.deepEqual(await resultsOf(narrow.rig), { overflow: 1 });
  });

  it("draws the share of requests", async () => {
    let drawn = 0;
    const mirror = recorder();
    const { rig } = await start(mirror.handler, {
      percentage: 25,
      proxy: { random: () => (drawn++ % 4) / 4 },
    });
    for (let index = 0; index < 8; index++) await call(rig.port);
    await later(50);
    assert.ok(mirror.seen.length > 0 && mirror.seen.length < 8, String(mirror.seen.length));
  });

  it("does not copy an upgrade", async () => {
    const mirror = recorder();
    const { rig } = await start(mirror.handler);
    const socket = connect(rig.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    await untilResults(rig, { upgrade: 1 });
    socket.destroy();
    assert.equal(mirror.seen.length, 0);
  });

  it("does not copy a request that a policy refuses", async () => {
    const mirror = recorder();
    const { rig } = await start(mirror.handler);
    rig.policy.decide = () => {
      throw new Error("a policy's bug");
    };
    assert.equal((await call(rig.port)).status, 500);
    await later(30);
    assert.deepEqual([await resultsOf(rig), mirror.seen.length], [{}, 0]);
  });

  it("does not hold up the end of the proxy", async () => {
    const { rig } = await start(() => {});
    await call(rig.port);
    const before = performance.now();
    await rig.proxy.close();
    assert.ok(performance.now() - before < 1_000);
  });
});
