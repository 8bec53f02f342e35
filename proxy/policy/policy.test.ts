// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { FaultRule } from "../../core/traffic/resources/route.ts";
import {
  ALLOW,
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  groupOf,
  httpUpstream,
  raw,
  routeOf,
  startProxy,
  startWith,
  until,
} from "../testing/harness.test.ts";
import { currentScheme, describeTransports, itHttp1 } from "../testing/transports.test.ts";
import type { CheckResult } from "./check-result.ts";

const QUOTA = { policy: "reviews-per-user", limit: 100, windowMs: 60_000, remaining: 7, resetMs: 41_200 };

type Group = Record<string, unknown>;

describeTransports("what the policies decide", () => {
  afterEach(cleanUp);

  const echo = (): Promise<Awaited<ReturnType<typeof startWith>>> =>
    startWith((incoming, outgoing) => {
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
    });

  it("a denial has the policy's status, message and name, and never reaches the upstream", async () => {
    let arrived = 0;
    const { port, policy } = await startWith(() => void arrived++);
    policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "UNAUTHENTICATED", message: "who are you?" },
        decidedBy: { kind: "AccessPolicy", name: "shop/login" },
      },
    });
    const reply = await call(port);
    assert.equal(reply.status, 401);
    assert.equal(reply.headers["x-purser-policy"], "AccessPolicy/shop/login");
    assert.equal(reply.headers["x-purser-error"], undefined);
    assert.deepEqual(JSON.parse(reply.body), {
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      detail: "who are you?",
      policy: "AccessPolicy/shop/login",
      requestId: reply.headers["x-request-id"],
    });
    assert.equal(arrived, 0);
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "UAEX");
    assert.deepEqual(policy.reports[0]?.["check"], {
      cache_hit: true,
      policy: "AccessPolicy/shop/login",
      error_code: 16,
      error_message: "who are you?",
    });
  });

  it("a refusal to HEAD has no body", async () => {
    const { port, policy } = await echo();
    policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "no" },
        decidedBy: { kind: "AccessPolicy", name: "p" },
      },
    });
    const received = await raw(port, "HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert.match(received, /^HTTP\/1\.1 403 [^]*content-length: \d+[^]*\r\n\r\n$/);
  });

  it("a used-up quota is 429 with Retry-After, RateLimit and RateLimit-Policy", async () => {
    const { port, policy } = await echo();
    policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "limit",
        status: { code: "RESOURCE_EXHAUSTED", message: "slow down" },
        decidedBy: { kind: "QuotaPolicy", name: "reviews-per-user" },
        retryAfterMs: 1_200,
      },
      quotas: [
        { ...QUOTA, remaining: 0 },
        { ...QUOTA, policy: "daily", limit: 1000, windowMs: 86_400_000 },
      ],
    });
    const reply = await call(port);
    assert.equal(reply.status, 429);
    assert.equal(reply.headers["retry-after"], "2");
    assert.equal(reply.headers["ratelimit-policy"], '"reviews-per-user";q=100;w=60, "daily";q=1000;w=86400');
    assert.equal(reply.headers["ratelimit"], '"reviews-per-user";r=0;t=2, "daily";r=7;t=42');
    assert.equal(reply.headers["x-purser-policy"], "QuotaPolicy/reviews-per-user");
    const problem = JSON.parse(reply.body) as Group;
    assert.equal(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert.deepEqual(problem["violated-policies"], ["reviews-per-user"]);
  });

  it("an allowed request under a quota reports the quota's state in headers", async () => {
    const { port, policy } = await echo();
    policy.decide = () => ({ ...ALLOW, quotas: [QUOTA] });
    const reply = await call(port);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["ratelimit"], '"reviews-per-user";r=7;t=42');
    assert.equal(reply.headers["retry-after"], undefined);
  });

  it("an undecided request is a 5xx with a code, not a denial", async () => {
    const { port, policy } = await echo();
    policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "error",
        status: { code: "UNAVAILABLE", message: "" },
        code: "PURSER_MIXER_UNAVAILABLE",
        decidedBy: { kind: "AccessPolicy", name: "p" },
      },
    });
    const reply = await call(port);
    assert.equal(reply.status, 503);
    assert.equal(reply.headers["x-purser-error"], "PURSER_MIXER_UNAVAILABLE");
    assert.equal((JSON.parse(reply.body) as Group)["code"], "PURSER_MIXER_UNAVAILABLE");
  });

  it("a direct response is sent in place of the upstream's, whether allowed or denied", async () => {
    const { port, policy } = await echo();
    const directResponse = { httpStatus: 302, headers: { Location: "/login" }, body: "" };
    policy.decide = () => ({ ...ALLOW, directResponse });
    const allowed = await call(port);
    assert.deepEqual([allowed.status, allowed.headers["location"]], [302, "/login"]);
    policy.decide = () => ({
      ...ALLOW,
      directResponse,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "" },
        decidedBy: { kind: "Rule", name: "r" },
      },
    });
    const denied = await call(port);
    assert.deepEqual([denied.status, denied.headers["x-purser-policy"]], [302, "Rule/r"]);
  });

  it("header operations of policies, route and destination are applied, and none can break the framing", async () => {
    const upstream = await httpUpstream((incoming, outgoing) => {
      outgoing.setHeader("x-upstream", "1");
      outgoing.end(JSON.stringify(incoming.headers));
    });
    const cluster = clusterOf([endpointAt(upstream.port)]);
    const action = forwardTo(cluster.name);
    const [destination] = action.destinations;
    assert.ok(destination);
    const { port, policy } = await startProxy(
      configOf({
        clusters: [cluster],
        routes: [
          routeOf(
            {
              ...action,
              destinations: [
                {
                  ...destination,
                  requestHeaders: { set: { "x-order": "destination" }, add: {}, remove: [] },
                },
              ],
            },
            {
              requestHeaders: {
                set: { "X-Order": "route" },
                add: { "x-added": "2" },
                remove: ["x-gone", "host"],
              },
              responseHeaders: { set: {}, add: {}, remove: ["x-upstream", "content-length"] },
            },
          ),
        ],
      }),
    );
    const operations: CheckResult["requestHeaders"] = [
      { operation: "set", name: "x-order", value: "policy" },
      { operation: "append", name: "x-added", value: "1" },
      { operation: "set", name: "x-split", value: "a\r\nx-evil: 1" },
      { operation: "set", name: "content-length", value: "999" },
    ];
    policy.decide = () => ({
      ...ALLOW,
      requestHeaders: operations,
      responseHeaders: [{ operation: "set", name: "x-verdict", value: "ok" }],
    });
    const reply = await call(port, { headers: { "x-gone": "1" } });
    const seen = JSON.parse(reply.body) as Record<string, string>;
    assert.equal(seen["x-order"], "destination");
    assert.equal(seen["x-added"], "1, 2");
    assert.equal(seen["x-gone"], undefined);
    assert.equal(seen["x-evil"], undefined);
    assert.equal(seen["x-split"], "a  x-evil: 1");
    assert.ok(seen["host"]);
    assert.equal(reply.headers["x-upstream"], undefined);
    assert.equal(reply.headers["x-verdict"], "ok");
    assert.equal(reply.headers["server"], "purser");
  });

  it("the policies are not asked when the destination's own proxy checks", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end(), {
      cluster: { checkedByDestination: true },
    });
    assert.equal((await call(port)).status, 200);
    assert.equal(policy.checks.length, 0);
    await until(() => policy.reports.length === 1);
  });

  it("an edge asks the policies that protect it, without the destination's workload, and the destination the rest", async () => {
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end(), {
      cluster: { checkedByDestination: true },
    });
    policy.guardsGateways = true;
    assert.equal((await call(port)).status, 200);
    const [bag = {}] = policy.checks as readonly Readonly<Record<string, Group>>[];
    assert.deepEqual(bag["context"]?.["gateway"], {
      namespace: "default",
      labels: { istio: "ingressgateway" },
      only: true,
    });
    assert.deepEqual(Object.keys(bag["destination"] ?? {}), ["service"]);
    policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "not here" },
        decidedBy: { kind: "AuthorizationPolicy", name: "istio-system/edge" },
      },
    });
    const refused = await call(port);
    assert.equal(refused.status, 403);
    assert.equal(refused.headers["x-purser-policy"], "AuthorizationPolicy/istio-system/edge");
    await until(() => policy.reports.length === 2);
    const [report = {}] = policy.reports as readonly Readonly<Record<string, Group>>[];
    assert.deepEqual(Object.keys(report["context"]?.["gateway"] as Group), ["namespace", "labels"]);
  });

  it("a policy client that fails causes a 500 with a log line, and the proxy keeps running", async () => {
    const { port, policy, logger } = await echo();
    policy.decide = async () => {
      throw new Error("broken");
    };
    assert.equal((await call(port)).status, 500);
    assert.ok(logger.lines.some(({ level }) => level === "error"));
    policy.decide = () => ALLOW;
    assert.equal((await call(port)).status, 200);
  });
});

describeTransports("routes", () => {
  afterEach(cleanUp);

  itHttp1(
    "down",
    "a request that keeps the routes' regular expressions busy is 431, and the proxy keeps running",
    async () => {
      const value = "(\\w{1,30}\\s?){1,20}x";
      const busy = { ignoreCase: false, headers: { "x-a": { kind: "regex" as const, value } } };
      const matches = Array.from({ length: 120 }, () => ({ ...busy, withoutHeaders: {}, queryParams: {} }));
      const { port } = await startProxy(
        configOf({
          clusters: [],
          routes: [
            { ...routeOf({ kind: "direct", status: 200, body: "", contentType: "text/plain" }), matches },
          ],
        }),
      );
      const reply = await call(port, { headers: { "x-a": "lorem ipsum ".repeat(4_000) } });
      assert.equal(reply.status, 431);
      assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_MATCH_TOO_LONG");
      assert.equal((await call(port, { headers: { "x-a": "lorem ipsum x" } })).status, 200);
    },
  );

  it("a request without a route is 404 NR, and is reported", async () => {
    const { port, policy } = await startProxy(configOf({ clusters: [], routes: [] }));
    const reply = await call(port, { path: "/nowhere" });
    assert.equal(reply.status, 404);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_NO_ROUTE");
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "NR");
  });

  it("redirect and direct-response routes reply locally, after the check", async () => {
    const { port, policy } = await startProxy(
      configOf({
        clusters: [],
        routes: [
          routeOf(
            { kind: "redirect", code: 301, authority: "new.example", path: "/moved" },
            {
              matches: [
                {
                  path: { kind: "exact", value: "/old" },
                  ignoreCase: false,
                  headers: {},
                  withoutHeaders: {},
                  queryParams: {},
                },
              ],
            },
          ),
          routeOf({ kind: "direct", status: 418, body: "teapot", contentType: "text/plain" }),
        ],
      }),
    );
    const redirected = await call(port, { path: "/old?x=1" });
    assert.deepEqual(
      [redirected.status, redirected.headers["location"]],
      [301, `${currentScheme()}://new.example/moved?x=1`],
    );
    const direct = await call(port);
    assert.deepEqual([direct.status, direct.body], [418, "teapot"]);
    assert.equal(policy.checks.length, 2);
  });

  it("rewrites change what the upstream sees, not what the policies see", async () => {
    const { port, policy } = await startWith(
      (incoming, outgoing) => outgoing.end(`${incoming.headers.host} ${incoming.url}`),
      { action: { rewrite: { path: { kind: "prefix", value: "/v2/" }, authority: "inner" } } },
    );
    assert.equal((await call(port, { path: "/a?b=1" })).body, "inner /v2/a?b=1");
    assert.equal(groupOf(policy.checks, "request")["path"], "/a?b=1");
  });

  it("fault rules delay and abort requests that the policies allow", async () => {
    const fault: FaultRule = {
      delay: { delayMs: 50, percentage: 100 },
      abort: { status: 418, percentage: 100 },
    };
    const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end(), { route: { fault } });
    const started = performance.now();
    const reply = await call(port);
    assert.ok(performance.now() - started >= 45);
    assert.equal(reply.status, 418);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_FAULT_INJECTED");
    await until(() => policy.reports.length === 1);
    assert.equal(groupOf(policy.reports, "response")["flags"], "DI,FI");
  });
});

describeTransports("identities of requests and clients", () => {
  afterEach(cleanUp);

  const headersSeen = async (
    listener: Partial<Listener>,
    headers: Record<string, string>,
  ): Promise<{ seen: Record<string, string>; checked: Group }> => {
    const { port, policy } = await startWith(
      (incoming, outgoing) => outgoing.end(JSON.stringify(incoming.headers)),
      { listener },
    );
    const reply = await call(port, { headers: { host: "shop", ...headers } });
    return { seen: JSON.parse(reply.body) as Record<string, string>, checked: policy.checks[0] as Group };
  };

  it("an edge makes a new request id, a sidecar keeps an existing one", async () => {
    const id = "3b241101-e2bb-4255-8caf-4136c566a962";
    assert.notEqual((await headersSeen({}, { "x-request-id": id })).seen["x-request-id"], id);
    assert.equal((await headersSeen({ edge: false }, { "x-request-id": id })).seen["x-request-id"], id);
    assert.match((await headersSeen({ edge: false }, {})).seen["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
  });

  it("each proxy is a span of its own in an existing trace, or begins a trace", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const { seen, checked } = await headersSeen({}, { traceparent, tracestate: "a=1" });
    assert.match(
      seen["traceparent"] ?? "",
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-00$/,
    );
    assert.equal(seen["tracestate"], "a=1");
    const request = checked["request"] as Group;
    assert.equal(request["parent_span_id"], "b7ad6b7169203331");
    assert.equal(request["span_id"], seen["traceparent"]?.slice(36, 52));
  });

  for (const traceparent of [
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    "nonsense",
  ]) {
    it(`an invalid traceparent begins a new trace: ${traceparent}`, async () => {
      const { seen } = await headersSeen({}, { traceparent, tracestate: "a=1" });
      assert.match(seen["traceparent"] ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.doesNotMatch(seen["traceparent"] ?? "", /0af7651916cd43dd8448eb211c80319c/i);
      assert.equal(seen["tracestate"], undefined);
    });
  }

  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  const SPAN = "b7ad6b7169203331";

  it("baggage and tracestate are passed on unchanged, and a later version's fields are not", async () => {
    const { seen } = await headersSeen(
      {},
      { traceparent: `cc-${TRACE}-${SPAN}-01-more`, tracestate: "a=1,  b=2", baggage: "user=ada;p=1, é=2" },
    );
    assert.match(seen["traceparent"] ?? "", new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    assert.equal(seen["tracestate"], "a=1,  b=2");
    assert.equal(seen["baggage"], "user=ada;p=1, é=2");
  });

  it("the random flag of a caller's trace is passed on", async () => {
    const { seen } = await headersSeen({}, { traceparent: `00-${TRACE}-${SPAN}-ff` });
    assert.match(seen["traceparent"] ?? "", /-03$/);
  });

  it("the listener's percentage decides about new traces, and not about a caller's", async () => {
    const never: Partial<Listener> = { tracing: { randomSamplingPercentage: 0, b3: "SINGLE_HEADER" } };
    assert.match((await headersSeen(never, {})).seen["traceparent"] ?? "", /-00$/);
    const sampled = `00-${TRACE}-${SPAN}-01`;
    assert.match((await headersSeen(never, { traceparent: sampled })).seen["traceparent"] ?? "", /-01$/);
    // Without a state, B3 leaves the decision to the receiver.
    assert.match((await headersSeen(never, { b3: `${TRACE}-${SPAN}` })).seen["traceparent"] ?? "", /-00$/);
    assert.match((await headersSeen(never, { b3: "1" })).seen["traceparent"] ?? "", /-01$/);
  });

  it("B3 is read and written when the listener says so", async () => {
    const b3 = `${TRACE}-${SPAN}-0`;
    const off = await headersSeen({}, { b3, tracestate: "a=1" });
    assert.equal(off.seen["b3"], b3);
    assert.ok(!off.seen["traceparent"]?.includes(TRACE));
    const multi = { tracing: { randomSamplingPercentage: 100, b3: "MULTI_HEADER" } } as const;
    const { seen, checked } = await headersSeen(multi, { b3, tracestate: "a=1" });
    const spanId = seen["x-b3-spanid"];
    assert.equal(seen["traceparent"], `00-${TRACE}-${spanId}-00`);
    assert.equal(seen["tracestate"], undefined);
    assert.equal(seen["b3"], undefined);
    assert.equal(seen["x-b3-traceid"], TRACE);
    assert.equal(seen["x-b3-parentspanid"], SPAN);
    assert.equal(seen["x-b3-sampled"], "0");
    assert.equal((checked["request"] as Group)["parent_span_id"], SPAN);
    const single = { tracing: { randomSamplingPercentage: 100, b3: "SINGLE_HEADER" } } as const;
    const both = await headersSeen(single, {
      traceparent: `00-${TRACE}-${SPAN}-01`,
      "x-b3-traceid": "1".repeat(32),
      "x-b3-spanid": "2".repeat(16),
    });
    assert.equal(both.seen["x-b3-traceid"], undefined);
    assert.match(both.seen["b3"] ?? "", new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`));
  });

  it("an edge without trusted proxies believes no forwarding header", async () => {
    const { seen, checked } = await headersSeen(
      {},
      {
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
        "x-purser-a": "1",
        "x-envoy-b": "1",
      },
    );
    assert.equal(seen["x-forwarded-for"], "203.0.113.9, 127.0.0.1");
    assert.equal(seen["x-forwarded-proto"], currentScheme());
    assert.equal(seen["x-forwarded-host"], "shop");
    assert.equal(seen["x-purser-a"], undefined);
    assert.equal(seen["x-envoy-b"], undefined);
    assert.deepEqual(checked["origin"], { ip: "127.0.0.1" });
  });

  it("an edge without trusted proxies removes client claims", async () => {
    const claims = (
      "x-forwarded-client-cert x-forwarded-prefix x-forwarded-port x-forwarded-uri forwarded x-real-ip x-original-url " +
      "x-envoy-internal x-envoy-external-address client-cert true-client-ip"
    ).split(" ");
    const sent = Object.fromEntries(claims.map((name) => [name, "spoofed"]));
    const { seen, checked } = await headersSeen({}, sent);
    assert.ok(!Object.values(seen).some((value) => value.includes("spoofed")), JSON.stringify(seen));
    assert.ok(!JSON.stringify(checked).includes("spoofed"));
    const trusting = await headersSeen({ trustedHops: 1 }, sent);
    assert.equal(trusting.seen["x-forwarded-client-cert"], "spoofed");
    assert.equal(trusting.seen["x-envoy-internal"], undefined);
    assert.equal((await headersSeen({ edge: false }, sent)).seen["x-forwarded-client-cert"], "spoofed");
  });

  it("an edge behind N proxies takes the N-th address from the right", async () => {
    const forwarded = { "x-forwarded-for": "10.9.9.9, 203.0.113.9, 10.0.0.1", "x-forwarded-proto": "https" };
    const two = await headersSeen({ trustedHops: 2 }, forwarded);
    assert.deepEqual(two.checked["origin"], { ip: "203.0.113.9" });
    assert.equal((two.checked["request"] as Group)["scheme"], "https");
    const tooMany = await headersSeen({ trustedHops: 4 }, forwarded);
    assert.deepEqual(tooMany.checked["origin"], { ip: "127.0.0.1" });
  });

  it("a proxy behind the edge believes the edge's headers", async () => {
    const { checked } = await headersSeen(
      { edge: false },
      { "x-envoy-external-address": "203.0.113.9", "x-forwarded-for": "1.1.1.1" },
    );
    assert.deepEqual(checked["origin"], { ip: "203.0.113.9" });
  });

  for (const edge of [true, false]) {
    const where = edge ? "an edge" : "a sidecar";
    const underscored = ["Content_Length", "Transfer_Encoding", "X_User", "_", "x-a_b"];

    it(`${where} refuses header names with an underscore by default`, async () => {
      let arrived = 0;
      const { port } = await startWith(() => void arrived++, { listener: { edge } });
      for (const name of underscored) {
        const reply = await call(port, { headers: { [name]: "1" } });
        assert.equal(reply.status, 400);
        assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_BAD_REQUEST");
        assert.ok(reply.body.includes(`${name.toLowerCase()} has an underscore`), reply.body);
      }
      assert.equal(arrived, 0);
    });

    for (const action of ["DROP_HEADER", "ALLOW"] as const)
      it(`${where} with ${action} ${action === "ALLOW" ? "passes" : "drops"} them`, async () => {
        const seen: string[] = [];
        const { port, policy } = await startWith(
          (incoming, outgoing) => {
            seen.push(...Object.keys(incoming.headers).filter((name) => name.includes("_")));
            outgoing.end();
          },
          { listener: { edge }, proxy: { headersWithUnderscoresAction: action } },
        );
        const headers = Object.fromEntries(underscored.map((name) => [name, "1"]));
        assert.equal((await call(port, { headers })).status, 200);
        const expected = action === "ALLOW" ? underscored.map((name) => name.toLowerCase()) : [];
        assert.deepEqual(seen, expected);
        const judged = Object.keys(groupOf(policy.checks, "request")["headers"] as Group);
        assert.deepEqual(
          judged.filter((name) => name.includes("_")),
          expected,
        );
      });
  }

  it("a sidecar names its own workload as source or destination", async () => {
    for (const direction of ["inbound", "outbound"] as const) {
      const { port, policy } = await startWith((_incoming, outgoing) => outgoing.end(), {
        listener: { edge: false, direction },
        proxy: {
          node: {
            role: "sidecar",
            id: "sidecar~catalog",
            host: "127.0.0.1",
            service: "catalog",
            outboundPort: 0,
          },
        },
      });
      await call(port);
      const side = direction === "inbound" ? "destination" : "source";
      const other = direction === "inbound" ? "source" : "destination";
      assert.deepEqual(groupOf(policy.checks, side)["workload"], { name: "catalog" });
      assert.equal(groupOf(policy.checks, other)["workload"], undefined);
    }
  });
});
