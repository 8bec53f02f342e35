// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { CorsPolicy, Route } from "../../core/traffic/resources/route.ts";
import { ALLOW, call, cleanUp, raw, startWith } from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

const SHOP = "https://shop.example.com";

const POLICY: CorsPolicy = {
  allowOrigins: [{ kind: "exact", value: SHOP }],
  allowMethods: ["GET", "PUT"],
  allowHeaders: ["x-token", "content-type"],
  exposeHeaders: ["x-total"],
  maxAgeSeconds: 600,
  allowCredentials: true,
  forwardUnmatchedPreflights: true,
};

const ANYONE: CorsPolicy = { ...POLICY, allowOrigins: [{ kind: "exact", value: "*" }] };

/** An upstream with CORS fields of its own, which counts its requests. */
function upstreamOf(fields: Record<string, string> = {}) {
  const seen: string[] = [];
  const handler: RequestListener = (incoming, outgoing) => {
    seen.push(incoming.method ?? "");
    outgoing.writeHead(200, fields);
    outgoing.end("body");
  };
  return { seen, handler };
}

const preflight = (origin: string | undefined, method: string | undefined = "PUT") => ({
  method: "OPTIONS",
  headers: {
    ...(origin === undefined ? {} : { origin }),
    ...(method === undefined ? {} : { "access-control-request-method": method }),
  },
});

/** The CORS fields of a response, without their prefix. */
function corsOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("access-control-") ? [[name.slice(15), value]] : [],
    ),
  );
}

describeTransports("CORS", () => {
  afterEach(cleanUp);

  const start = (handler: RequestListener, cors = POLICY, route: Partial<Route> = {}) =>
    startWith(handler, { route: { cors, ...route } });

  it("answers a preflight without asking policies or the upstream", async () => {
    const { seen, handler } = upstreamOf();
    const { port, policy } = await start(handler);
    policy.decide = () => ({ ...ALLOW, outcome: { kind: "deny", status: { code: 16 } } }) as never;
    const reply = await call(port, preflight(SHOP));
    assert.equal(reply.status, 200);
    assert.equal(reply.body, "");
    assert.deepEqual(corsOf(reply.headers), {
      "allow-origin": SHOP,
      "allow-credentials": "true",
      "allow-methods": "GET,PUT",
      "allow-headers": "x-token,content-type",
      "max-age": "600",
    });
    assert.equal(reply.headers.vary, "origin");
    assert.deepEqual([seen, policy.checks.length, policy.reports.length], [[], 0, 1]);
  });

  // Fetch standard, "CORS protocol and credentials" and "CORS-preflight request".
  const CASES: readonly {
    readonly title: string;
    readonly request: Parameters<typeof call>[1];
    readonly policy?: Partial<CorsPolicy>;
    readonly upstream?: Record<string, string>;
    readonly expected: Record<string, string>;
    readonly vary?: string;
    readonly forwarded: boolean;
  }[] = [
    {
      title: "an actual request gets the origin, the credentials and the exposed headers",
      request: { headers: { origin: SHOP } },
      expected: { "allow-origin": SHOP, "allow-credentials": "true", "expose-headers": "x-total" },
      forwarded: true,
    },
    {
      title: "an actual request from elsewhere gets nothing",
      request: { headers: { origin: "https://evil.example" } },
      expected: {},
      forwarded: true,
    },
    {
      title: "a request without an origin only varies",
      request: {},
      expected: {},
      forwarded: true,
    },
    {
      title: "an OPTIONS request without a requested method is an actual request",
      request: { method: "OPTIONS", headers: { origin: SHOP } },
      expected: { "allow-origin": SHOP, "allow-credentials": "true", "expose-headers": "x-total" },
      forwarded: true,
    },
    {
      title: "an OPTIONS request with an empty requested method is an actual request",
      request: preflight(SHOP, ""),
      expected: { "allow-origin": SHOP, "allow-credentials": "true", "expose-headers": "x-total" },
      forwarded: true,
    },
    {
      title: "a GET with a requested method is an actual request",
      request: { headers: { origin: SHOP, "access-control-request-method": "PUT" } },
      expected: { "allow-origin": SHOP, "allow-credentials": "true", "expose-headers": "x-total" },
      forwarded: true,
    },
    {
      title: "a preflight without an origin is forwarded",
      request: preflight(undefined),
      expected: {},
      forwarded: true,
    },
    {
      title: "a preflight from elsewhere is forwarded by default",
      request: preflight("https://evil.example"),
      upstream: { "access-control-allow-origin": "https://evil.example" },
      expected: { "allow-origin": "https://evil.example" },
      forwarded: true,
    },
    {
      title: "a preflight from elsewhere is answered without fields on request",
      request: preflight("https://evil.example"),
      policy: { forwardUnmatchedPreflights: false },
      expected: {},
      forwarded: false,
    },
    {
      title: "the policy's fields replace the upstream's",
      request: { headers: { origin: SHOP } },
      policy: { allowCredentials: false },
      upstream: {
        "access-control-allow-origin": "https://other.example",
        "access-control-allow-credentials": "true",
      },
      expected: { "allow-origin": SHOP, "expose-headers": "x-total" },
      forwarded: true,
    },
    {
      title: "a wildcard is sent as such, and never with credentials",
      request: { headers: { origin: "https://anyone.example" } },
      policy: ANYONE,
      upstream: { "access-control-allow-credentials": "true" },
      expected: { "allow-origin": "*", "expose-headers": "x-total" },
      vary: "",
      forwarded: true,
    },
    {
      title: "an empty list of methods is left out",
      request: preflight(SHOP),
      policy: { allowMethods: [], allowHeaders: [], allowCredentials: false },
      expected: { "allow-origin": SHOP, "max-age": "600" },
      forwarded: false,
    },
    {
      title: "a vary field that has the origin already is left alone",
      request: { headers: { origin: SHOP } },
      upstream: { vary: "accept-encoding, Origin" },
      expected: { "allow-origin": SHOP, "allow-credentials": "true", "expose-headers": "x-total" },
      vary: "accept-encoding, Origin",
      forwarded: true,
    },
  ];
  for (const { title, request, policy, upstream, expected, vary = "origin", forwarded } of CASES) {
    it(title, async () => {
      const { seen, handler } = upstreamOf(upstream);
      const { port } = await start(handler, { ...POLICY, ...policy });
      const reply = await call(port, request);
      assert.equal(reply.status, 200);
      assert.deepEqual(corsOf(reply.headers), expected);
      assert.equal(reply.headers.vary ?? "", vary);
      assert.equal(seen.length, forwarded ? 1 : 0);
    });
  }

  it("lets a page read a refusal, and counts both kinds of request", async () => {
    const { port, policy, proxy } = await start(upstreamOf().handler);
    policy.decide = () => {
      throw new Error("a policy's bug");
    };
    const reply = await call(port, { headers: { origin: SHOP } });
    assert.equal(reply.status, 500);
    assert.equal(reply.headers["access-control-allow-origin"], SHOP);
    await call(port, preflight(SHOP));
    await call(port, preflight("https://evil.example"));
    await call(port, {});
    const text = await proxy.registry.metrics();
    const counted = text.split("\n").filter((line) => line.startsWith("purser_proxy_cors_requests_total{"));
    assert.deepEqual(counted.toSorted(), [
      'purser_proxy_cors_requests_total{listener="edge",request="actual",origin="allowed"} 1',
      'purser_proxy_cors_requests_total{listener="edge",request="preflight",origin="allowed"} 1',
      'purser_proxy_cors_requests_total{listener="edge",request="preflight",origin="unmatched"} 1',
    ]);
  });

  it("decides by the origin that the client sent, whatever the route makes of the field", async () => {
    let upstreamSaw: string | undefined;
    const { port } = await start(
      (incoming, outgoing) => {
        upstreamSaw = incoming.headers.origin;
        outgoing.end();
      },
      POLICY,
      { requestHeaders: { set: { origin: "https://internal" }, add: {}, remove: [] } },
    );
    const reply = await call(port, { headers: { origin: SHOP } });
    assert.equal(upstreamSaw, "https://internal");
    assert.equal(reply.headers["access-control-allow-origin"], SHOP);
  });

  it("believes no repeated and no huge origin", async () => {
    const { port } = await start(upstreamOf().handler);
    for (const lines of [
      `origin: ${SHOP}\r\norigin: https://evil.example\r\n`,
      `origin: ${SHOP}\r\nOrigin: ${SHOP}\r\n`,
      `origin: https://${"a".repeat(10_000)}\r\n`,
      `origin: ${SHOP}\x80\r\n`,
      "origin:\r\n",
    ]) {
      const text = await raw(port, `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${lines}\r\n`);
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.doesNotMatch(text, /access-control/i);
    }
  });

  it("refuses a request whose origin takes the expressions too long", async () => {
    const slow = { kind: "regex", value: "(\\w{1,30}\\s?){1,20}x" } as const;
    const { port } = await start(upstreamOf().handler, {
      ...POLICY,
      allowOrigins: Array.from({ length: 100 }, () => slow),
    });
    // The processor's time, which other processes do not lengthen.
    const before = process.cpuUsage();
    const reply = await call(port, { headers: { origin: "a".repeat(500) } });
    assert.equal(reply.status, 431);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_MATCH_TOO_LONG");
    assert.ok(process.cpuUsage(before).user < 500_000);
  });

  it("is the same for redirects and direct responses", async () => {
    const { port } = await startWith(upstreamOf().handler, {
      route: {
        cors: POLICY,
        action: { kind: "direct", status: 200, body: "hi", contentType: "text/plain" },
      },
    });
    const reply = await call(port, { headers: { origin: SHOP } });
    assert.equal(reply.body, "hi");
    assert.equal(reply.headers["access-control-allow-origin"], SHOP);
  });
});
