// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect } from "node:net";

import type { RetryPolicy } from "../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY, NO_RETRIES } from "../../core/traffic/retry.ts";
import {
  call,
  cleanUp,
  clusterOf,
  configOf,
  deadPort,
  endpointAt,
  forwardTo,
  groupOf,
  httpUpstream,
  later,
  type Reply,
  raw,
  routeOf,
  startProxy,
  startWith,
  tcpUpstream,
  until,
} from "../testing/harness.test.ts";
import { describeTransports, itHttp1 } from "../testing/transports.test.ts";

const RETRY: RetryPolicy = {
  ...DEFAULT_RETRY_POLICY,
  on: ["5xx"],
  idempotentOnly: false,
  backoffBaseMs: 1,
  backoffMaxMs: 2,
};

function problemOf(reply: Reply): Record<string, unknown> {
  assert.equal(reply.headers["content-type"], "application/problem+json");
  const problem = JSON.parse(reply.body) as Record<string, unknown>;
  assert.equal(problem["status"], reply.status);
  assert.equal(reply.headers["x-purser-error"], problem["code"]);
  assert.equal(reply.headers["x-request-id"], problem["requestId"]);
  return problem;
}

describeTransports("an upstream in trouble", () => {
  afterEach(cleanUp);

  it("is 503 UF when no process listens at its address", async () => {
    const { port, policy } = await startProxy(
      configOf({ clusters: [clusterOf([endpointAt(await deadPort())])] }),
    );
    const reply = await call(port);
    assert.equal(reply.status, 503);
    assert.equal(problemOf(reply)["code"], "PURSER_PROXY_UPSTREAM");
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "UF");
  });

  it("fails every queued request when its only connection cannot be made", async () => {
    const cluster = clusterOf([endpointAt(await deadPort())], { maxConnectionsPerEndpoint: 1 });
    const { port } = await startProxy(configOf({ clusters: [cluster] }));
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => call(port)));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [503, 503, 503, 503, 503],
    );
  });

  it("is 503 UH when the cluster has no endpoint", async () => {
    const { port } = await startProxy(configOf({ clusters: [clusterOf([])] }));
    const reply = await call(port);
    assert.equal(reply.status, 503);
    assert.equal(problemOf(reply)["code"], "PURSER_PROXY_NO_ENDPOINT");
  });

  itHttp1("up", "is 503 UC when it resets before it answers, 502 UPE when it answers garbage", async () => {
    const { port: resetting } = await tcpUpstream((socket) => socket.on("data", () => socket.destroy()));
    const { port: garbage } = await tcpUpstream((socket) =>
      socket.on("data", () => socket.write("SSH-2.0-x\r\n\r\n")),
    );
    for (const [upstream, status, flag] of [
      [resetting, 503, "UC"],
      [garbage, 502, "UPE"],
    ] as const) {
      const { port, policy } = await startProxy(configOf({ clusters: [clusterOf([endpointAt(upstream)])] }));
      const reply = await call(port);
      assert.equal(reply.status, status);
      problemOf(reply);
      await until(() => policy.reports.length === 1);
      assert.equal(groupOf(policy.reports, "response")["flags"], flag);
    }
  });

  it("is 504 UT when it does not respond within the route's timeout", async () => {
    const { port } = await startWith(() => {}, { action: { timeoutMs: 60 } });
    const started = performance.now();
    const reply = await call(port, { method: "POST", body: "x" });
    assert.equal(reply.status, 504);
    assert.equal(problemOf(reply)["code"], "PURSER_PROXY_UPSTREAM_TIMEOUT");
    assert.ok(performance.now() - started < 1_000);
  });

  for (const [what, action] of [
    ["the route's timeout", { timeoutMs: 80 }],
    // A body of unknown length is sent as it comes.
    ["the timeout of a try", { retry: { ...RETRY, perTryTimeoutMs: 80 } }],
  ] as const)
    it(`is not timed out by ${what} for a client's slow upload`, async () => {
      const { port } = await startWith(
        (incoming, outgoing) => {
          incoming.resume().on("end", () => outgoing.end("got it"));
        },
        { action },
      );
      const received = new Promise<string>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        let text = "";
        socket.on("data", (chunk) => {
          text += chunk;
          if (text.includes("got it") || text.includes("504")) socket.destroy();
        });
        socket.on("close", () => resolve(text));
        socket.write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
        setTimeout(() => socket.write("1\r\nb\r\n"), 70);
        setTimeout(() => socket.write("0\r\n\r\n"), 140);
      });
      assert.match(await received, /^HTTP\/1\.1 200 /);
    });

  it("is timed out by the timeout of a try once a body that is sent as it comes has ended", async () => {
    const { port } = await startWith((incoming) => incoming.resume(), {
      action: { retry: { ...RETRY, perTryTimeoutMs: 50 } },
    });
    const chunked = { "transfer-encoding": "chunked" };
    assert.equal((await call(port, { method: "POST", headers: chunked, body: "a" })).status, 504);
  });

  itHttp1("up", "makes a truncated response look truncated", async () => {
    const { port: upstream } = await tcpUpstream((socket) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const { port, policy } = await startProxy(configOf({ clusters: [clusterOf([endpointAt(upstream)])] }));
    await assert.rejects(call(port), { code: "ECONNRESET" });
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "UC");
  });

  it("has its response cut when the route's timeout passes", async () => {
    const { port } = await startWith((_incoming, outgoing) => void outgoing.write("first"), {
      action: { timeoutMs: 60 },
    });
    await assert.rejects(call(port), { code: "ECONNRESET" });
  });

  it("is 503 UO at once when maxRequests are under way, and serves again after", async () => {
    const release: (() => void)[] = [];
    const { port } = await startWith((_incoming, outgoing) => release.push(() => outgoing.end()), {
      cluster: { maxRequests: 1 },
    });
    const first = call(port);
    await until(() => release.length === 1);
    const second = await call(port);
    assert.equal(second.status, 503);
    assert.equal(second.headers["x-envoy-overloaded"], "true");
    assert.equal(problemOf(second)["code"], "PURSER_PROXY_OVERFLOW");
    release[0]?.();
    assert.equal((await first).status, 200);
    const third = call(port);
    await until(() => release.length === 2);
    release[1]?.();
    assert.equal((await third).status, 200);
  });
});

describeTransports("retries", () => {
  afterEach(cleanUp);

  it("go to the same endpoint again only where the route lets them", async () => {
    const failing = await httpUpstream((_incoming, outgoing) => {
      outgoing.writeHead(503);
      outgoing.end();
    });
    const good = await httpUpstream((_incoming, outgoing) => outgoing.end("good"));
    // In turns of four, the failing endpoint is picked three times.
    const endpoints = [endpointAt(failing.port, { weight: 3 }), endpointAt(good.port)];
    const cluster = clusterOf(endpoints);
    for (const mayRepeatEndpoints of [true, false]) {
      const retry = { ...RETRY, retries: 1, mayRepeatEndpoints };
      const { port } = await startProxy(
        configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, { retry }))] }),
      );
      const statuses: number[] = [];
      for (let index = 0; index < 8; index++) statuses.push((await call(port)).status);
      assert.equal(statuses.includes(503), mayRepeatEndpoints, statuses.join());
    }
  });

  it("repeat a rate-limited response where the route asks for it", async () => {
    let calls = 0;
    const { port } = await startWith(
      (_incoming, outgoing) => {
        outgoing.writeHead(429, calls++ === 0 ? { "x-envoy-ratelimited": "true" } : {});
        outgoing.end();
      },
      { action: { retry: { ...RETRY, retries: 3, on: ["envoy-ratelimited"], onStatuses: [] } } },
    );
    assert.equal((await call(port)).status, 429);
    assert.equal(calls, 2);
  });

  it("follow the route's policy, prefer another endpoint, and send the same body", async () => {
    const bodies: string[] = [];
    const bad = await httpUpstream((incoming, outgoing) => {
      incoming.resume().on("end", () => outgoing.writeHead(500).end());
    });
    const good = await httpUpstream((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => (body += chunk));
      incoming.on("end", () => {
        bodies.push(body);
        outgoing.end("fine");
      });
    });
    const cluster = clusterOf([endpointAt(bad.port), endpointAt(good.port)]);
    const { port } = await startProxy(
      configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, { retry: RETRY }))] }),
    );
    for (let index = 0; index < 4; index++) {
      const reply = await call(port, { method: "POST", body: `body ${index}` });
      assert.equal(reply.body, "fine");
    }
    assert.deepEqual(bodies, ["body 0", "body 1", "body 2", "body 3"]);
  });

  for (const [what, answer] of [
    ["a 503", "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno"],
    ["a gRPC status of unavailable", "HTTP/1.1 200 OK\r\ngrpc-status: 14\r\ncontent-length: 0\r\n\r\n"],
    ["the end of the connection", undefined],
  ] as const)
    for (const [method, times] of [
      ["POST", 1],
      ["PATCH", 1],
      ["LOCK", 1],
      ["PUT", answer === undefined ? 1 : 3],
      ["GET", answer === undefined ? 1 : 3],
    ] as const)
      itHttp1(
        "up",
        `by default send ${method} ${times === 1 ? "once" : "three times"} when the upstream answers with ${what}`,
        async () => {
          let seen = 0;
          const upstream = await tcpUpstream((socket) => {
            socket.on("data", () => {
              seen++;
              if (answer === undefined) socket.destroy();
              else socket.write(answer);
            });
          });
          const cluster = clusterOf([endpointAt(upstream.port)]);
          const retry = { ...DEFAULT_RETRY_POLICY, backoffBaseMs: 1, backoffMaxMs: 2 };
          const { port } = await startProxy(
            configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, { retry }))] }),
          );
          await call(port, { method });
          assert.equal(seen, times);
        },
      );

  it("by default send POST to another endpoint when the first refuses the connection", async () => {
    const good = await httpUpstream((_incoming, outgoing) => outgoing.end("fine"));
    const cluster = clusterOf([endpointAt(await deadPort()), endpointAt(good.port)]);
    const { port } = await startProxy(
      configOf({
        clusters: [cluster],
        routes: [routeOf(forwardTo(cluster.name, { retry: DEFAULT_RETRY_POLICY }))],
      }),
    );
    for (let index = 0; index < 4; index++)
      assert.equal((await call(port, { method: "POST", body: "x" })).body, "fine");
  });

  it("stop after the given number and forward the last response, flagged URX", async () => {
    let tries = 0;
    const { port, policy } = await startWith(
      (_incoming, outgoing) => {
        outgoing.writeHead(503).end(`try ${++tries}`);
      },
      { action: { retry: RETRY } },
    );
    const reply = await call(port);
    assert.equal(reply.status, 503);
    assert.equal(reply.body, "try 3");
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "URX");
  });

  it("are not made for a body that is too large or of unknown length", async () => {
    let tries = 0;
    const { port } = await startWith(
      (incoming, outgoing) => {
        tries++;
        incoming.resume().on("end", () => outgoing.writeHead(503).end());
      },
      { action: { retry: RETRY } },
    );
    await call(port, { method: "POST", body: Buffer.alloc(65 * 1024) });
    await call(port, { method: "POST", body: "x", headers: { "transfer-encoding": "chunked" } });
    assert.equal(tries, 2);
  });

  it("follow a try that exceeds its own timeout", async () => {
    let tries = 0;
    const { port } = await startWith(
      (_incoming, outgoing) => {
        if (++tries === 2) outgoing.end("second");
      },
      { action: { retry: { ...RETRY, perTryTimeoutMs: 50 } } },
    );
    assert.equal((await call(port)).body, "second");
  });

  itHttp1(
    "up",
    "happen once without a policy when an idle connection turns out to be closed, for idempotent requests",
    async () => {
      const seen: string[] = [];
      const { port: upstream } = await tcpUpstream((socket) => {
        let answered = false;
        socket.on("data", (data) => {
          seen.push(data.toString().slice(0, 4));
          // Only the first request on a connection gets a response; the second finds the connection closed.
          if (answered) socket.destroy();
          else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
          answered = true;
        });
      });
      const cluster = clusterOf([endpointAt(upstream)]);
      const { port } = await startProxy(
        configOf({ clusters: [cluster], routes: [routeOf(forwardTo(cluster.name, { retry: NO_RETRIES }))] }),
      );
      assert.equal((await call(port)).status, 200);
      assert.equal((await call(port, { method: "POST", body: "x" })).status, 503);
      assert.equal((await call(port)).status, 200);
      assert.equal((await call(port)).status, 200);
      assert.deepEqual(seen, ["GET ", "POST", "GET ", "GET ", "GET "]);
    },
  );

  it("end when the client leaves", async () => {
    let tries = 0;
    const { port } = await startWith(
      (_incoming, outgoing) => {
        tries++;
        outgoing.writeHead(503).end();
      },
      {
        action: { retry: { ...RETRY, retries: 100, backoffBaseMs: 30, backoffMaxMs: 30 } },
        proxy: { random: () => 0.99 },
      },
    );
    await raw(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n", 60);
    await later(20);
    const after = tries;
    await later(80);
    assert.equal(tries, after);
  });
});
