// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { freePort } from "../bench/machine/free-port.ts";
import { parse } from "yaml";

import {
  ALLOW,
  call,
  cleanUp,
  clock,
  clusterOf,
  configOf,
  EDGE,
  endpointAt,
  FakePolicy,
  forwardTo,
  httpUpstream,
  later,
  raw,
  RecordingLogger,
  routeOf,
  runtime,
  scheduler,
  startProxy,
  startWith,
  until,
} from "./testing/harness.test.ts";
import { currentScheme, describeHttp1, describeTransports, itHttp1 } from "./testing/transports.test.ts";
import type { ListenerLimits } from "../core/traffic/resources/listener.ts";
import {
  RESOURCE_TYPES,
  type TrafficResources,
  type TrafficUpdate,
} from "../core/traffic/resources/resource-set.ts";
import { createProxy } from "./proxy.ts";

function permutationsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item) =>
    permutationsOf(items.filter((other) => other !== item)).map((others) => [item, ...others]),
  );
}

/** Keeps `concurrency` requests under way until stopped; returns the failures. */
function load(port: number, concurrency: number): () => Promise<{ done: number; failures: string[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const failures: string[] = [];
  let done = 0;
  let stopped = false;
  const worker = async (): Promise<void> => {
    while (!stopped) {
      await new Promise<void>((resolve) => {
        const outgoing = request({ host: "127.0.0.1", port, agent }, (incoming) => {
          if (incoming.statusCode !== 200) failures.push(`status ${incoming.statusCode}`);
          incoming.resume().on("end", resolve);
        });
        outgoing.on("error", (error) => {
          failures.push(error.message);
          resolve();
        });
        outgoing.end();
      });
      done++;
    }
  };
  const workers = Array.from({ length: concurrency }, worker);
  return async () => {
    stopped = true;
    await Promise.all(workers);
    agent.destroy();
    return { done, failures };
  };
}

describeTransports("a new configuration", () => {
  afterEach(cleanUp);

  it("is applied under load without a failed request, while endpoints come and go", async () => {
    const upstreams = await Promise.all(
      ["a", "b", "c"].map((name) => httpUpstream((_incoming, outgoing) => outgoing.end(name))),
    );
    const configs = upstreams.flatMap(({ port }, index) => {
      const next = upstreams[(index + 1) % upstreams.length]?.port ?? 0;
      return [clusterOf([endpointAt(port)]), clusterOf([endpointAt(port), endpointAt(next)])];
    });
    const rig = await startProxy(configOf({ clusters: [configs[0] ?? clusterOf([])] }));
    const stop = load(rig.port, 8);
    for (let version = 0; version < 60; version++) {
      rig.apply(
        configOf({
          clusters: [configs[version % configs.length] ?? clusterOf([])],
        }),
      );
      await later(3);
    }
    const { done, failures } = await stop();
    assert.deepEqual(failures, []);
    assert.ok(done > 30, `only ${done} requests`);
  });

  it("leaves a request the configuration that it began with", async () => {
    const old = await httpUpstream((_incoming, outgoing) => outgoing.end("old"));
    const rig = await startProxy(configOf({ clusters: [clusterOf([endpointAt(old.port)])] }));
    const { decide } = rig.policy;
    let answer: () => void = () => {};
    rig.policy.decide = (bag) => new Promise((resolve) => (answer = () => resolve(decide(bag))));
    const reply = call(rig.port);
    await until(() => rig.policy.checks.length === 1);
    rig.apply(configOf({ clusters: [], routes: [] }));
    await later(30);
    answer();
    assert.equal((await reply).body, "old");
    rig.policy.decide = decide;
    assert.equal((await call(rig.port)).status, 404);
  });

  itHttp1("up", "closes an endpoint's connections when it is gone and its requests are over", async () => {
    const sockets = new Set<Socket>();
    let finish: () => void = () => {};
    const upstream = await httpUpstream((incoming, outgoing) => {
      sockets.add(incoming.socket);
      incoming.socket.on("close", () => sockets.delete(incoming.socket));
      finish = () => outgoing.end("done");
    });
    const rig = await startProxy(configOf({ clusters: [clusterOf([endpointAt(upstream.port)])] }));
    const reply = call(rig.port);
    await until(() => sockets.size === 1);
    rig.apply(configOf({ clusters: [], routes: [] }));
    await later(30);
    assert.equal(sockets.size, 1);
    finish();
    assert.equal((await reply).body, "done");
    await until(() => sockets.size === 0);
  });

  it("starts new listeners, drains removed ones, and keeps unchanged ones", async () => {
    let isUnderWay = false;
    const upstream = await httpUpstream((incoming, outgoing) => {
      isUnderWay ||= incoming.url === "/slow";
      setTimeout(() => outgoing.end("slow"), incoming.url === "/slow" ? 100 : 0);
    });
    const clusters = [clusterOf([endpointAt(upstream.port)])];
    const second = { ...EDGE, name: "second" };
    const rig = await startProxy(configOf({ clusters, listeners: [EDGE, second] }));
    const [first, gone] = rig.proxy.addresses().listeners.map(({ port }) => port) as [number, number];
    const underWay = call(gone, { path: "/slow" });
    await until(() => isUnderWay);
    rig.apply(configOf({ clusters, listeners: [EDGE, { ...EDGE, name: "third" }] }));
    await until(() => rig.proxy.addresses().listeners.some(({ name }) => name === "third"));
    const addresses = rig.proxy.addresses().listeners;
    assert.deepEqual(
      addresses.map(({ name }) => name),
      ["edge", "third"],
    );
    assert.equal(addresses[0]?.port, first);
    assert.equal((await underWay).body, "slow");
    assert.equal((await call(addresses[1]?.port ?? 0)).status, 200);
    await assert.rejects(call(gone), { code: "ECONNREFUSED" });
  });

  it("moves a listener to another address of its port", async () => {
    const upstream = await httpUpstream((_incoming, outgoing) => outgoing.end("ok"));
    const clusters = [clusterOf([endpointAt(upstream.port)])];
    const port = await freePort();
    const on = (host: string) => configOf({ clusters, listeners: [{ ...EDGE, host, port }] });
    const rig = await startProxy(on("0.0.0.0"));
    for (const host of ["127.0.0.1", "0.0.0.0"]) {
      rig.apply(on(host));
      await until(() => rig.proxy.addresses().listeners.some((each) => each.host === host));
      assert.equal((await call(port)).status, 200);
    }
  });

  itHttp1("both", "applies changed limits to a running listener, and keeps its connections", async () => {
    const upstream = await httpUpstream((incoming, outgoing) => {
      setTimeout(() => outgoing.end("ok"), incoming.url === "/slow" ? 600 : 0);
    });
    const clusters = [clusterOf([endpointAt(upstream.port)])];
    const listenerWith = (limits: Partial<ListenerLimits>) =>
      configOf({ clusters, listeners: [{ ...EDGE, limits: { ...EDGE.limits, ...limits } }] });
    const rig = await startProxy(listenerWith({}));
    const headers = { "x-large": "a".repeat(3_000) };
    assert.equal((await call(rig.port, { headers })).status, 200);
    const socket = connect(rig.port, "127.0.0.1");
    let received = "";
    let isClosed = false;
    socket.on("data", (chunk) => (received += chunk.toString("latin1")));
    socket.on("close", () => (isClosed = true));
    const send = (target: string) => socket.write(`GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`);
    send("/");
    await until(() => received.endsWith("ok"));
    received = "";
    send("/slow");

    rig.apply(listenerWith({ maxHeaderBytes: 2_000, connectionIdleMs: 300 }));
    await later(20);
    assert.equal((await call(rig.port, { headers })).status, 431);
    assert.equal((await call(rig.port)).status, 200);
    rig.apply(listenerWith({ maxConnections: 1, connectionIdleMs: 300 }));
    await later(20);
    await assert.rejects(call(rig.port));
    await until(() => received.endsWith("ok"));
    const start = performance.now();
    await until(() => isClosed);
    assert.ok(performance.now() - start > 250);
    assert.deepEqual(
      rig.proxy.addresses().listeners.map(({ port }) => port),
      [rig.port],
    );

    rig.apply(listenerWith({}));
    await later(20);
    assert.equal((await call(rig.port, { headers })).status, 200);
  });

  itHttp1(
    "down",
    "leaves the limits that the proxy was started with above those of its listeners",
    async () => {
      const clusters = [clusterOf([])];
      const limits = { ...EDGE.limits, maxHeaderBytes: 50_000 };
      const rig = await startProxy(configOf({ clusters, listeners: [{ ...EDGE, limits }] }), {
        limits: { maxHeaderBytes: 2_000 },
      });
      const headers = { "x-large": "a".repeat(3_000) };
      assert.equal((await call(rig.port, { headers })).status, 431);
      rig.apply(configOf({ clusters, listeners: [{ ...EDGE, limits: { ...limits, maxConnections: 9 } }] }));
      await later(20);
      assert.equal((await call(rig.port, { headers })).status, 431);
    },
  );

  it("may arrive type by type in any order, at the start and later", async () => {
    const [first, second] = await Promise.all(
      ["first", "second"].map((name) => httpUpstream((_incoming, outgoing) => outgoing.end(name))),
    );
    const before = configOf({ clusters: [clusterOf([endpointAt(first?.port ?? 0)])] });
    const after = configOf({
      clusters: [clusterOf([endpointAt(second?.port ?? 0)], { name: "outbound|81||other" })],
    });
    for (const order of permutationsOf(RESOURCE_TYPES)) {
      const [begin, ...others] = order.map((type): TrafficUpdate => ({ [type]: before[type] }));
      const rig = await startProxy(begin ?? {}, {}, others);
      assert.equal((await call(rig.port)).body, "first", order.join());
      for (const type of order) rig.apply({ [type]: after[type] });
      let body = "";
      for (let attempt = 0; attempt < 100 && body !== "second"; attempt++) {
        await later(2);
        ({ body } = await call(rig.port));
      }
      assert.equal(body, "second", order.join());
    }
  });

  it("may have a route to a cluster that arrives later: until then 503", async () => {
    const rig = await startWith((_incoming, outgoing) => outgoing.end("there"));
    const upstream = await httpUpstream((_incoming, outgoing) => outgoing.end("later"));
    const { clusters, endpoints, routes } = configOf({
      clusters: [clusterOf([endpointAt(upstream.port)], { name: "outbound|81||later" })],
    });
    rig.apply({ routes });
    await later(20);
    const early = await call(rig.port);
    assert.equal(early.status, 503);
    rig.apply({ clusters, endpoints });
    await later(20);
    assert.equal((await call(rig.port)).body, "later");
  });

  it("changes nothing when it is invalid", async () => {
    const rig = await startWith((_incoming, outgoing) => outgoing.end("still"));
    const bad = routeOf(forwardTo("x"), {
      matches: [
        {
          path: { kind: "regex", value: "(" },
          ignoreCase: false,
          headers: {},
          withoutHeaders: {},
          queryParams: {},
        },
      ],
    });
    rig.apply(configOf({ clusters: [], routes: [bad] }));
    await later(20);
    assert.equal((await call(rig.port)).body, "still");
    assert.ok(rig.logger.lines.some(({ level }) => level === "error"));
  });
});

describeTransports("start, drain and close", () => {
  afterEach(cleanUp);

  it("a taken port is PURSER_PORT_TAKEN and names the address", async () => {
    const { port } = await httpUpstream(() => {});
    await assert.rejects(startProxy(configOf({ clusters: [], listeners: [{ ...EDGE, port }] })), {
      code: "PURSER_PORT_TAKEN",
      message: `127.0.0.1:${port} is taken by another part of this program`,
    });
  });

  it("of two listeners with one address the second is PURSER_PORT_TAKEN, and names both", async () => {
    const port = await freePort();
    const listeners = ["first", "second"].map((name) => ({ ...EDGE, name, port }));
    await assert.rejects(startProxy(configOf({ clusters: [], listeners })), {
      code: "PURSER_PORT_TAKEN",
      message: `127.0.0.1:${port} of the listener second is taken by the listener first`,
    });
  });

  it("a foreign address is PURSER_PORT_FORBIDDEN", async () => {
    await assert.rejects(
      startProxy(configOf({ clusters: [], listeners: [{ ...EDGE, host: "192.0.2.1" }] })),
      {
        code: "PURSER_PORT_FORBIDDEN",
      },
    );
  });

  it("the start fails after its timeout without a configuration from pilot", async () => {
    const proxy = createProxy({
      node: { role: "edge", id: "e", host: "127.0.0.1", port: 0, trustedHops: 0 },
      pilot: { watch: () => () => {} },
      policy: new FakePolicy(),
      clock,
      random: Math.random,
      scheduler,
      logger: new RecordingLogger(),
      compile: runtime.compile,
      startTimeoutMs: 30,
    });
    await assert.rejects(proxy.start(), { code: "PURSER_PILOT_UNAVAILABLE" });
  });

  itHttp1(
    "down",
    "a drain finishes requests under way, tells clients to close, and accepts no new connections",
    async () => {
      const rig = await startWith((_incoming, outgoing) => void setTimeout(() => outgoing.end("done"), 80));
      const idle = connect(rig.port, "127.0.0.1");
      idle.on("error", () => {});
      const reply = call(rig.port, { headers: { connection: "keep-alive" } });
      await until(() => rig.policy.checks.length === 1);
      const drained = rig.proxy.drain(2_000);
      await until(() => rig.proxy.addresses().listeners.length === 0);
      await assert.rejects(call(rig.port), { code: "ECONNREFUSED" });
      const { body, headers } = await reply;
      assert.deepEqual([body, headers.connection], ["done", "close"]);
      const started = performance.now();
      await drained;
      assert.ok(performance.now() - started < 1_000);
      idle.destroy();
    },
  );

  it("a drain, or the removal of a listener, resets no connection that was made before it", async () => {
    // The connections wait at the tunnel of the tests, which ends with the listener.
    if (currentScheme() === "https") return;
    for (const ending of ["drained", "removed"] as const) {
      const rig = await startWith((_incoming, outgoing) => outgoing.end("ok"));
      const replies = Promise.all(Array.from({ length: 30 }, () => call(rig.port)));
      // The kernel has made the connections of these clients, and the proxy's turn to accept them is still to come.
      await new Promise((resolve) => process.nextTick(resolve));
      if (ending === "drained") void rig.proxy.drain(4_000);
      else rig.apply(configOf({ clusters: [], listeners: [] }));
      for (const { status } of await replies) assert.ok(ending === "removed" || status === 200, `${status}`);
      await until(() => rig.proxy.addresses().listeners.length === 0);
      await assert.rejects(call(rig.port), { code: "ECONNREFUSED" });
    }
  });

  it("a drain ends at its deadline, whatever is under way", async () => {
    const rig = await startWith(() => {});
    const reply = assert.rejects(call(rig.port));
    await later(20);
    await rig.proxy.drain(50);
    await reply;
    await rig.proxy.close();
    await rig.proxy.close();
  });

  itHttp1("both", "a drain resolves after it has reported every request that it cut", async () => {
    // More than the kernel's buffers take.
    const large = Buffer.alloc(64 << 20);
    const stages: Record<string, Parameters<typeof startWith>[0]> = {
      "without a response": () => {},
      "with half a response": (_incoming, outgoing) => void outgoing.write("half"),
      "with a response that the client does not read": (_incoming, outgoing) => void outgoing.end(large),
    };
    for (const [stage, upstream] of Object.entries(stages)) {
      const rig = await startWith(upstream);
      const clients = Array.from({ length: 5 }, () => {
        const client = connect(rig.port, "127.0.0.1", () => {
          client.write("GET / HTTP/1.1\r\nhost: reviews\r\n\r\n");
        });
        client.pause().on("error", () => {});
        return client;
      });
      await until(() => rig.policy.checks.length === 5);
      await later(50);
      await rig.proxy.drain(50);
      const reported = rig.policy.reports.map(({ response }) => response as Record<string, unknown>);
      assert.deepEqual(
        reported.map((response) => [response["flags"], response["code_details"]]),
        Array.from({ length: 5 }, () => ["DC", "downstream_local_disconnect"]),
        stage,
      );
      for (const client of clients) client.destroy();
    }
  });

  it("a drain keeps its deadline while a longer one is under way, of a removed listener or of all", async () => {
    for (const before of ["removed", "drained"] as const) {
      const rig = await startWith(() => {}, { proxy: { drainMs: 10_000 } });
      const reply = assert.rejects(call(rig.port));
      await until(() => rig.policy.checks.length === 1);
      if (before === "removed") {
        rig.apply(configOf({ clusters: [], listeners: [] }));
        await until(() => rig.proxy.addresses().listeners.length === 0);
      } else void rig.proxy.drain(10_000);
      const startMs = performance.now();
      await rig.proxy.drain(50);
      assert.ok(performance.now() - startMs < 1_000, before);
      await reply;
      assert.equal(rig.policy.reports.length, 1, before);
    }
  });
});

describeHttp1("the admin surface", () => {
  afterEach(cleanUp);

  const startAdmin = async () => {
    const rig = await startWith((_incoming, outgoing) => outgoing.end("ok"), {
      proxy: { admin: { host: "127.0.0.1", port: 0 } },
    });
    return { ...rig, admin: rig.proxy.addresses().admin?.port ?? 0 };
  };

  it("is ready when both the configuration and the policies are there", async () => {
    const { admin, policy } = await startAdmin();
    assert.equal((await call(admin, { path: "/ready" })).status, 200);
    assert.match((await call(admin, { path: "/stats/prometheus" })).body, /^purser_proxy_ready 1$/m);
    policy.ready = false;
    const reply = await call(admin, { path: "/ready" });
    assert.match((await call(admin, { path: "/stats/prometheus" })).body, /^purser_proxy_ready 0$/m);
    assert.deepEqual([reply.status, reply.body], [503, "waiting for the policies from the mixer\n"]);
  });

  it("counts requests and lists clusters", async () => {
    const { admin, port } = await startAdmin();
    await call(port);
    const stats = await call(admin, { path: "/stats/prometheus" });
    assert.match(stats.body, /purser_proxy_requests_total\{listener="edge",code_class="2xx",flags="-"\} 1/);
    assert.match(
      stats.body,
      /purser_proxy_upstream_requests_active\{cluster="outbound\|80\|\|reviews\.default"\} 0/,
    );
    const clusters = await call(admin, { path: "/clusters" });
    assert.match(clusters.body, /^outbound\|80\|\|reviews\.default::127\.0\.0\.1:\d+::rq_total::1$/m);
    const dump = await call(admin, { path: "/config_dump" });
    const { endpoints } = JSON.parse(dump.body) as TrafficResources;
    assert.match(endpoints.version, /./);
    assert.equal(endpoints.resources[0]?.name, "outbound|80||reviews.default");
  });

  it("refuses requests from other sites' pages", async () => {
    const { admin, port } = await startAdmin();
    const foreign = await call(admin, { path: "/config_dump", headers: { host: "evil.example" } });
    assert.equal(foreign.status, 403);
    assert.match(foreign.body, /"evil\.example" is not a name of this server.*PURSER_HOST_FORBIDDEN/);
    const drain = (headers: Record<string, string>, body?: string) =>
      call(admin, { path: "/drain", method: "POST", headers, ...(body === undefined ? {} : { body }) });
    assert.equal((await drain({ origin: "http://evil.example" })).status, 403);
    assert.equal((await drain({ origin: "null" })).status, 403);
    assert.equal((await drain({ "sec-fetch-site": "same-site" })).status, 403);
    assert.equal((await drain({ "content-type": "application/x-www-form-urlencoded" }, "a=b")).status, 415);
    assert.equal((await call(port)).status, 200);
  });

  it("refuses to drain on GET, and drains on POST", async () => {
    const { admin, port, proxy } = await startAdmin();
    const refused = await call(admin, { path: "/drain" });
    assert.deepEqual([refused.status, refused.headers.allow], [405, "POST"]);
    assert.equal((await call(port)).status, 200);
    assert.equal((await call(admin, { path: "/drain", method: "POST" })).status, 202);
    await until(() => proxy.addresses().listeners.length === 0);
    await assert.rejects(call(port), { code: "ECONNREFUSED" });
    assert.equal((await call(admin, { path: "/ready" })).status, 503);
    assert.equal((await call(admin, { path: "/nothing" })).status, 404);
  });
});

describeTransports("steady traffic", () => {
  afterEach(cleanUp);

  it("leaves no warning, no error and no event listener behind", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", onWarning);
    const rig = await startWith((incoming, outgoing) =>
      incoming.resume().on("end", () => outgoing.end("ok")),
    );
    const stop = load(rig.port, 16);
    await later(400);
    const { done, failures } = await stop();
    await later(10);
    process.off("warning", onWarning);
    assert.deepEqual(failures, []);
    assert.deepEqual(warnings, []);
    assert.equal(rig.policy.reports.length, done);
    assert.deepEqual(
      rig.logger.lines.filter(({ level }) => level === "error" || level === "warn"),
      [],
    );
  });
});

describeTransports("the attributes that the proxy tells", () => {
  afterEach(cleanUp);

  /** Checks for each type of the attribute manifest. */
  const fits: Readonly<Record<string, (value: unknown) => boolean>> = {
    STRING: (value) => typeof value === "string",
    INT64: (value) => Number.isInteger(value),
    BOOL: (value) => typeof value === "boolean",
    DURATION: (value) => typeof value === "number" && value >= 0,
    TIMESTAMP: (value) => typeof value === "string" && new Date(value).toISOString() === value,
    IP_ADDRESS: (value) => typeof value === "string" && isIP(value) !== 0,
    STRING_MAP: (value) => Object.values(value as object).every((one) => typeof one === "string"),
    STRING_LIST: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  };

  it("are all declared in policies/attribute-manifest.yaml, with the right types", async () => {
    const document = parse(readFileSync("policies/attribute-manifest.yaml", "utf8")) as {
      spec: { attributes: Record<string, { type: string; optional?: boolean }> };
    };
    const declared = new Map(Object.entries(document.spec.attributes));
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end("ok"), {
      proxy: { node: { role: "sidecar", id: "s", host: "127.0.0.1", service: "catalog", outboundPort: 0 } },
    });
    const decidedBy = { kind: "AccessPolicy", name: "p" };
    await call(port, { path: "/a?b=c", headers: { referer: "http://x/", "user-agent": "test" } });
    policy.decide = () => ({
      ...ALLOW,
      outcome: { kind: "deny", status: { code: "PERMISSION_DENIED", message: "no" }, decidedBy },
      shadowDenials: [decidedBy],
      audits: [decidedBy],
    });
    await call(port, { headers: { "content-type": "application/grpc" } });
    await raw(port, "GET / HTTP/1.1\r\n\r\n", 100);
    await until(() => policy.reports.length === 3);
    const faults: string[] = [];
    const told = new Set<string>();
    const walk = (value: unknown, path: string): void => {
      const attribute = declared.get(path);
      if (attribute !== undefined) {
        told.add(path);
        if (fits[attribute.type]?.(value) !== true)
          faults.push(`${path} is no ${attribute.type}: ${String(value)}`);
      } else if (typeof value !== "object" || value === null) faults.push(`${path} is not declared`);
      else
        for (const [key, child] of Object.entries(value)) walk(child, path === "" ? key : `${path}.${key}`);
    };
    for (const bag of [...policy.checks, ...policy.reports]) walk(bag, "");
    assert.deepEqual(faults, []);
    for (const [path, { optional }] of declared)
      assert.ok(optional !== false || told.has(path), `${path} is never told`);
    assert.ok(told.size > 40, `only ${told.size} attributes were told`);
  });
});
