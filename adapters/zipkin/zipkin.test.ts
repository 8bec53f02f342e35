// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describeAdapterContract, traceSpanInstance } from "../../plugins/sdk/testing/index.ts";
import { refusedForGood, useHttpAdapter } from "../../test/support/http-adapter.ts";
import { answering } from "../../test/support/http-receiver.ts";
import { endpointOf } from "./endpoint.ts";
import { zipkin } from "./index.ts";
import type { ZipkinSpan } from "./span.ts";

const never = new AbortController();

describeAdapterContract(zipkin, {
  backend: {
    config: ({ host, port }) => ({ url: `http://${host}:${port}` }),
    retryable: answering("503 Service Unavailable"),
    permanent: answering("400 Bad Request"),
  },
});

describe("the adapter zipkin", () => {
  const http = useHttpAdapter(zipkin);
  const { build, bodies } = http;

  const spans = () => bodies<ZipkinSpan[]>().flat();

  it("posts a span with its endpoints, in whole microseconds", async () => {
    const handler = build({
      remoteServiceTag: "to",
      remoteAddressTag: "peer",
      serviceTag: "absent",
      token: "t",
    });
    const tags = {
      to: "reviews",
      peer: "192.0.2.1:80",
      absent: undefined,
      none: null,
      yes: true,
      big: 2n ** 64n,
    };
    await handler.tracespan?.([traceSpanInstance({ tags, startMs: 1000.0004, endMs: 1000.0006 })], never);
    const [request] = http.receiver.requests;
    assert.equal(`${request?.method} ${request?.path}`, "POST /api/v2/spans");
    assert.equal(request?.headers["authorization"], "Bearer t");
    assert.deepEqual(spans(), [
      {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        id: "b7ad6b7169203331",
        name: "GET /reviews",
        kind: "SERVER",
        timestamp: 1_000_000,
        duration: 1,
        localEndpoint: { serviceName: "purser" },
        remoteEndpoint: { serviceName: "reviews", ipv4: "192.0.2.1", port: 80 },
        tags: {
          to: "reviews",
          peer: "192.0.2.1:80",
          yes: "true",
          big: "18446744073709551616",
          "http.status_code": "200",
        },
      },
    ]);
  });

  it("refuses each span whose ids Zipkin does not take, and sends the others", async () => {
    const handler = build();
    const wrongs = [
      { traceId: "" },
      { traceId: "0".repeat(32) },
      { traceId: "a".repeat(31) },
      { traceId: `${"a".repeat(31)}g` },
      { spanId: "a".repeat(32) },
      { spanId: "ａ".repeat(16) },
      { parentSpanId: "not hex" },
    ].map((wrong) => traceSpanInstance(wrong));
    const outcome = await handler.tracespan?.([traceSpanInstance(), ...wrongs], never);
    assert.deepEqual(refusedForGood(outcome), [1, 2, 3, 4, 5, 6, 7]);
    assert.match(
      outcome?.refused[6]?.error.message ?? "",
      /^the parent span id "not hex" is not 16 hexadecimal/,
    );
    assert.equal(spans().length, 1);
    http.receiver.reset();
    assert.equal((await handler.tracespan?.(wrongs, never))?.refused.length, 7);
    assert.equal(await handler.tracespan?.([], never), undefined);
    assert.equal(http.receiver.requests.length, 0);
  });

  it("leaves out impossible times, and keeps 256 tags", async () => {
    const handler = build();
    const tags = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`t${index}`, index]));
    await handler.tracespan?.(
      [
        traceSpanInstance({ startMs: Number.NaN, httpStatusCode: undefined }),
        traceSpanInstance({ startMs: 1e300, endMs: 1e300 }),
        traceSpanInstance({ startMs: -5, endMs: 5 }),
        traceSpanInstance({ startMs: 10, endMs: 5 }),
        traceSpanInstance({ tags, httpStatusCode: undefined }),
      ],
      never,
    );
    const [noTime, far, early, backwards, many] = spans();
    assert.deepEqual([noTime?.timestamp, noTime?.duration], [undefined, undefined]);
    assert.deepEqual([far?.timestamp, far?.duration], [undefined, undefined]);
    assert.equal(early?.timestamp, undefined);
    assert.deepEqual([backwards?.timestamp, backwards?.duration], [10_000, 1]);
    assert.equal(Object.keys(many?.tags ?? {}).length, 256);
    assert.equal(noTime?.tags["http.status_code"], undefined);
  });

  it("has a large batch halved, and refuses a large span for good", async () => {
    const handler = build({ maxBytes: 1024 });
    const large = traceSpanInstance({ tags: { text: "é".repeat(1000) } });
    const small = traceSpanInstance();
    const many = Promise.resolve(handler.tracespan?.(Array<typeof small>(20).fill(small), never));
    await assert.rejects(many, { code: "PURSER_REQUEST_TOO_LARGE" });
    const outcome = await handler.tracespan?.([traceSpanInstance({ spanId: "" }), large, small], never);
    assert.deepEqual(refusedForGood(outcome), [0, 1]);
    assert.equal(spans().length, 1);
  });

  it("reads addresses with and without ports", () => {
    assert.deepEqual(endpointOf(undefined, "192.0.2.1"), { ipv4: "192.0.2.1" });
    assert.deepEqual(endpointOf("a", "2001:db8::1"), { serviceName: "a", ipv6: "2001:db8::1" });
    assert.deepEqual(endpointOf("", "[2001:db8::1]:443"), { ipv6: "2001:db8::1", port: 443 });
    assert.deepEqual(endpointOf("a", "reviews:9080"), { serviceName: "a" });
    assert.deepEqual(endpointOf(undefined, "192.0.2.1:99999"), { ipv4: "192.0.2.1" });
    assert.equal(endpointOf(undefined, "x".repeat(1_000_000)), undefined);
    assert.equal(endpointOf(undefined, undefined), undefined);
  });
});
