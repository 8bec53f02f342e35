// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import { createTestContext, type TestContext, traceSpanInstance } from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { startZipkinServer, type ZipkinServer } from "../../test/support/zipkin-server.ts";
import type { ZipkinConfig } from "./config.ts";
import { zipkin } from "./index.ts";

describe("the adapter zipkin with Zipkin's server", () => {
  const never = new AbortController();
  let server: ZipkinServer;
  let context: TestContext<ZipkinConfig>;
  let handler: AdapterHandler;

  before(async function () {
    this.timeout(60_000);
    server = await startZipkinServer(this);
    const config = { url: server.url, serviceTag: "service", remoteAddressTag: "peer" };
    context = createTestContext(zipkin, config);
    handler = zipkin.build(context);
  });

  after(async () => {
    await context?.http.close();
    await server?.stop();
  });

  it("stores the spans of a trace, and nothing of a refused span", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const startMs = Date.now();
    const outcome = await handler.tracespan?.(
      [
        traceSpanInstance({
          traceId,
          clientSpan: true,
          startMs: startMs + 0.25,
          endMs: startMs + 12.5,
          tags: { service: "storefront", peer: "[2001:db8::1]:8080", note: "Zoë 🛳️", nr: Number.NaN },
        }),
        traceSpanInstance({ traceId, spanId: "not hex" }),
        traceSpanInstance({
          traceId,
          spanId: "00f067aa0ba902b7",
          parentSpanId: "b7ad6b7169203331",
          startMs: startMs + 1,
          endMs: startMs + 1,
          httpStatusCode: 503,
          tags: { huge: "x".repeat(1_000_000), nested: { a: [1n] } },
        }),
      ],
      never,
    );
    assert.deepEqual(
      outcome?.refused.map(({ index }) => index),
      [1],
    );
    await eventually(async () => assert.equal((await server.trace(traceId)).length, 2));
    const spans = await server.trace(traceId);
    const client = spans.find(({ kind }) => kind === "CLIENT");
    const served = spans.find(({ kind }) => kind === "SERVER");
    assert.deepEqual(client, {
      traceId,
      id: "b7ad6b7169203331",
      kind: "CLIENT",
      name: "get /reviews",
      timestamp: startMs * 1000 + 250,
      duration: 12_250,
      localEndpoint: { serviceName: "storefront" },
      remoteEndpoint: { ipv6: "2001:db8::1", port: 8080 },
      tags: {
        service: "storefront",
        peer: "[2001:db8::1]:8080",
        note: "Zoë 🛳️",
        nr: "NaN",
        "http.status_code": "200",
      },
    });
    assert.equal(served?.["parentId"], "b7ad6b7169203331");
    assert.equal(served?.["duration"], 1);
    assert.deepEqual(served?.["localEndpoint"], { serviceName: "purser" });
    const tags = served?.["tags"] as Record<string, string>;
    assert.equal(tags["error"], "503");
    assert.equal(tags["nested"], '{"a":["1"]}');
    assert.match(tags["huge"] ?? "", /… \(991808 more characters\)$/);
  });

  it("stores spans with unusual texts", async () => {
    const traceId = "1".repeat(32);
    const text = 'שלום \u202e\u0000\ud800\n"\\';
    const long = "é".repeat(100_000);
    const tags = { service: "", peer: text, [text]: text, "": "", [long]: long };
    const spans = [
      traceSpanInstance({ traceId, spanName: text, tags }),
      traceSpanInstance({ traceId, spanId: "2".repeat(16), spanName: "", tags: {} }),
      traceSpanInstance({ traceId, spanId: "3".repeat(16), spanName: long, parentSpanId: "3".repeat(16) }),
    ];
    assert.equal(await handler.tracespan?.(spans, never), undefined);
    await eventually(async () => assert.equal((await server.trace(traceId)).length, 3));
  });

  it("stores spans without a time, and those of short trace ids", async () => {
    const span = { traceId: "A3CE929D0E0E4736", startMs: Number.NaN, endMs: Number.NaN };
    assert.equal(await handler.tracespan?.([traceSpanInstance(span)], never), undefined);
    await eventually(async () => assert.equal((await server.trace("a3ce929d0e0e4736")).length, 1));
    const [stored] = await server.trace("a3ce929d0e0e4736");
    assert.equal(stored?.["timestamp"], undefined);
  });
});
