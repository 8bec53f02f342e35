// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { HashCookie, HashSource } from "../../core/traffic/resources/load-balancer.ts";
import { NO_RETRIES } from "../../core/traffic/retry.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import { SnapshotBuilder } from "../snapshot/snapshot-builder.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  EDGE,
  endpointAt,
  forwardTo,
  httpUpstream,
  NO_CREDENTIALS,
  type Rig,
  routeOf,
  runtime,
  startProxy,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

const COOKIE: HashCookie = { kind: "cookie", name: "session", ttlSeconds: 0, attributes: [] };

const ALGORITHMS = {
  "ring hash": (hashOn: HashSource) => ({ kind: "ring-hash", hashOn, minimumRingSize: 1024 }) as const,
  Maglev: (hashOn: HashSource) => ({ kind: "maglev", hashOn, tableSize: 65_537 }) as const,
};

/** A proxy with four upstreams, each of which answers with its number. */
async function startHashing(
  hashOn: HashSource,
  algorithm: keyof typeof ALGORITHMS = "ring hash",
  trustedHops = 0,
): Promise<Rig> {
  const upstreams = await Promise.all(
    [0, 1, 2, 3].map((number) => httpUpstream((_, response) => response.end(String(number)))),
  );
  const cluster = clusterOf(
    upstreams.map(({ port }) => endpointAt(port)),
    { loadBalancer: ALGORITHMS[algorithm](hashOn) },
  );
  return startProxy(configOf({ clusters: [cluster], listeners: [{ ...EDGE, trustedHops }] }));
}

type CallOptions = Parameters<typeof call>[1];

/** The endpoints that answer: one number for each distinct endpoint. */
async function answersOf(port: number, requests: readonly CallOptions[]): Promise<ReadonlySet<string>> {
  const replies = await Promise.all(requests.map((options) => call(port, options)));
  for (const { status } of replies) assert.equal(status, 200);
  return new Set(replies.map(({ body }) => body));
}

/** So many that one of four endpoints gets none of them once in 10^9 runs: the ports are random. */
const USERS = Array.from({ length: 80 }, (_, index) => `user-${index}`);
const times = (options: CallOptions): readonly CallOptions[] => Array<CallOptions>(6).fill(options);

/** For each source, the request that carries a user's value. */
const SOURCES: readonly (readonly [source: HashSource, requestOf: (user: string) => CallOptions])[] = [
  [{ kind: "header", name: "x-user" }, (user) => ({ headers: { "X-User": user } })],
  [{ kind: "query", name: "user" }, (user) => ({ path: `/?a=1&user=${user}&user=other` })],
  [COOKIE, (user) => ({ headers: { cookie: `a=b; session=${user}` } })],
  [{ kind: "source-ip" }, (user) => ({ headers: { "x-forwarded-for": `10.1.1.${user.slice(5)}` } })],
];

describeTransports("balancing", () => {
  afterEach(cleanUp);

  for (const algorithm of Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[]) {
    for (const [source, requestOf] of SOURCES)
      it(`${algorithm} by ${source.kind}: a value has one endpoint, and values spread over all`, async () => {
        const { port } = await startHashing(source, algorithm, 1);
        for (const user of USERS.slice(0, 4))
          assert.equal((await answersOf(port, times(requestOf(user)))).size, 1);
        assert.equal((await answersOf(port, USERS.map(requestOf))).size, 4);
      });
  }

  it("a request without the value goes to any endpoint", async () => {
    for (const [source] of SOURCES.slice(0, 2)) {
      const { port } = await startHashing(source);
      assert.ok((await answersOf(port, Array<CallOptions>(24).fill({}))).size > 1);
    }
  });

  it("an encoded query parameter has the endpoint of the plain one", async () => {
    const { port } = await startHashing({ kind: "query", name: "user" });
    for (const user of USERS.slice(0, 6)) {
      const paths = [`/?user=${user}`, `/?user=${user.replace("-", "%2d")}`, `/?%75ser=${user}`];
      assert.equal(
        (
          await answersOf(
            port,
            paths.map((path) => ({ path })),
          )
        ).size,
        1,
      );
    }
  });

  it("a name that objects inherit is absent from the query", async () => {
    const { port } = await startHashing({ kind: "query", name: "constructor" });
    assert.ok((await answersOf(port, Array<CallOptions>(24).fill({}))).size > 1);
  });

  it("a client behind no trusted proxy cannot choose its address", async () => {
    const { port } = await startHashing({ kind: "source-ip" });
    const requests = USERS.map((_, index) => ({ headers: { "x-forwarded-for": `10.1.1.${index}` } }));
    assert.equal((await answersOf(port, requests)).size, 1);
  });

  it("a cookie is generated when it is absent or empty, and leads back to the endpoint that set it", async () => {
    const { port } = await startHashing(COOKIE);
    const cookies = new Set<string>();
    for (const headers of [{}, { cookie: "a=b" }, { cookie: "session=" }, { cookie: 'session=""; a=b' }]) {
      const first = await call(port, { headers });
      const [set = ""] = first.headers["set-cookie"] ?? [];
      assert.match(set, /^session=[0-9a-f]{14}; HttpOnly$/);
      const [pair = ""] = set.split(";");
      cookies.add(pair);
      for (const cookie of [pair, pair.replace("=", '="').concat('"'), `x=y;${pair};session=other`]) {
        const again = await call(port, { headers: { cookie } });
        assert.equal(again.body, first.body);
        assert.equal(again.headers["set-cookie"], undefined);
      }
    }
    assert.equal(cookies.size, 4, "a cookie for each connection");
  });

  it("the generated cookie has the attributes of the rule, beside the upstream's own cookies", async () => {
    const upstream = await httpUpstream((_, response) => {
      response.setHeader("set-cookie", "own=1");
      response.end();
    });
    const hashOn: HashCookie = {
      ...COOKIE,
      ttlSeconds: 3600,
      path: "/shop",
      attributes: [{ name: "SameSite", value: "Lax" }, { name: "Secure" }],
    };
    const cluster = clusterOf([endpointAt(upstream.port)], { loadBalancer: ALGORITHMS.Maglev(hashOn) });
    const { port } = await startProxy(configOf({ clusters: [cluster] }));
    const [own, generated] = (await call(port)).headers["set-cookie"] ?? [];
    assert.equal(own, "own=1");
    assert.match(
      generated ?? "",
      /^session=[0-9a-f]{14}; Max-Age=3600; Path=\/shop; SameSite=Lax; Secure; HttpOnly$/,
    );
  });

  it("without a ttl no cookie is generated, and the endpoint is random", async () => {
    const { port } = await startHashing({ kind: "cookie", name: "session", attributes: [] });
    const reply = await call(port);
    assert.equal(reply.headers["set-cookie"], undefined);
    assert.ok((await answersOf(port, Array<CallOptions>(24).fill({}))).size > 1);
  });

  it("a failed try is retried at another endpoint, the same for every request with the value", async () => {
    const dead = await deadPort();
    const upstreams = await Promise.all(
      [0, 1, 2].map((number) => httpUpstream((_, response) => response.end(String(number)))),
    );
    const cluster = clusterOf([endpointAt(dead), ...upstreams.map(({ port }) => endpointAt(port))], {
      loadBalancer: ALGORITHMS["ring hash"]({ kind: "header", name: "x-user" }),
    });
    const retry = {
      ...NO_RETRIES,
      retries: 2,
      on: ["connect-failure"] as const,
      backoffBaseMs: 1,
      backoffMaxMs: 5,
    };
    const routes = [routeOf(forwardTo(cluster.name, { retry }))];
    const { port } = await startProxy(configOf({ clusters: [cluster], routes }));
    for (const user of USERS.slice(0, 24))
      assert.equal((await answersOf(port, times({ headers: { "x-user": user } }))).size, 1);
  });

  it("an endpoint that is added later starts slowly, and keeps its age when others change", async () => {
    let nowMs = 5_000;
    const clock = { nowMs: () => 0, monotonicMs: () => nowMs };
    const builder = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, {
      ...runtime,
      clock,
      random: Math.random,
    });
    const slowStart = { windowMs: 10_000, aggression: 1, minimumPercent: 10 };
    const build = (ports: readonly number[]): ProxySnapshot => {
      const endpoints = ports.map((port) => endpointAt(port));
      const cluster = clusterOf(endpoints, { loadBalancer: { kind: "round-robin", slowStart } });
      return builder.build(configOf({ clusters: [cluster] }));
    };
    const shareOf = (snapshot: ProxySnapshot, port: number): number => {
      const [set] = snapshot.endpoints.values();
      const picks = Array.from({ length: 4_000 }, () => set?.pick([], undefined)?.endpoint.port);
      return picks.filter((picked) => picked === port).length / 4_000;
    };
    const assertNear = (share: number, expected: number): void =>
      assert.ok(Math.abs(share - expected) < 0.02, `${share}, expected ${expected}`);
    build([9001]);
    nowMs += 60_000;
    const two = build([9001, 9002]);
    assertNear(shareOf(two, 9002), 0.1 / 1.1);
    nowMs += 5_000;
    assertNear(shareOf(two, 9002), 0.5 / 1.5);
    const three = build([9001, 9002, 9003]);
    assertNear(shareOf(three, 9002), 0.5 / 1.6);
    nowMs += 10_000;
    assertNear(shareOf(three, 9003), 1 / 3);
    await builder.destroy();
  });

  it("requests go to the next priority when no endpoint of the first is healthy, and to none without any", async () => {
    const upstreams = await Promise.all(
      [0, 1].map((number) => httpUpstream((_, response) => response.end(String(number)))),
    );
    const endpoints = upstreams.map(({ port }, priority) => endpointAt(port, { priority }));
    const builder = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, runtime);
    const snapshot = builder.build(configOf({ clusters: [clusterOf(endpoints)] }));
    const [set] = snapshot.endpoints.values();
    assert.ok(set !== undefined);
    const [first, second] = set.endpoints;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(set.pick([], undefined), first);
    first.upstream.healthy = false;
    assert.equal(set.pick([], undefined), first, "health counts from the next rebalance on");
    set.rebalance();
    assert.equal(set.pick([], undefined), second);
    second.upstream.healthy = false;
    set.rebalance();
    assert.equal(set.pick([], undefined), undefined);
    first.upstream.healthy = true;
    set.rebalance();
    assert.equal(set.pick([], undefined), first);
    snapshot.release();
    await builder.destroy();
  });
});
